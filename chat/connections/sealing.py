"""Keys of providers as they are stored: sealed with a key that is derived from `SECRET_KEY`.

So the database alone does not tell them. Whoever changes `SECRET_KEY` has to enter them again.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE = b"talos: keys of model providers"
"""Never to change: what was sealed could not be opened any more."""


def seal(key: str) -> str:
    """The key, for the database; different each time. Empty stays empty."""
    return _fernet(settings.SECRET_KEY).encrypt(key.encode()).decode() if key else ""


def opened(sealed: str) -> str | None:
    """The key; None if it was sealed with another `SECRET_KEY`, or damaged. Empty stays empty."""
    if not sealed:
        return ""
    from cryptography.fernet import InvalidToken

    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


@lru_cache(maxsize=2)
def _fernet(secret: str) -> Fernet:
    # on first use: most servers and all commands need none of it
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), length=32, salt=_PURPOSE, info=b"").derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
