"""Encrypts providers' keys for storage with a key derived from `SECRET_KEY`.

The database alone does not reveal them. After a change of `SECRET_KEY` they must be entered again.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE = b"talos: keys of model providers"
"""Must never change, or sealed keys could no longer be opened."""


def seal(key: str) -> str:
    """Encrypt the key, differently each time. Empty stays empty."""
    return _fernet(settings.SECRET_KEY).encrypt(key.encode()).decode() if key else ""


def unseal(sealed: str) -> str | None:
    """Decrypt the key; None if `SECRET_KEY` differs or the text is damaged. Empty stays empty."""
    if not sealed:
        return ""
    from cryptography.fernet import InvalidToken

    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


@lru_cache(maxsize=2)
def _fernet(secret: str) -> Fernet:
    # imported on first use: most servers and all commands need none of it
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), length=32, salt=_PURPOSE, info=b"").derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
