"""The key that signs cookies and forms: from `SECRET_KEY`, or generated once per data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

LEAST = 32  # characters; `openssl rand -hex 32` gives 64
_MAKE = 'generate one with: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'


def check(key: str) -> str:
    if len(key) < LEAST:
        raise ImproperlyConfigured(
            f"SECRET_KEY has fewer than {LEAST} characters: unset it, or {_MAKE}"
        )
    return key


def read_or_create(directory: Path) -> str:
    """Return the data directory's key. Two processes that start at once get the same one."""
    path = directory / "secret_key"
    try:
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ImproperlyConfigured(
            f"SECRET_KEY cannot be kept in {path}: make the file readable and its directory "
            "writable, or set the variable."
        ) from None
    if len(key) < LEAST:
        raise ImproperlyConfigured(f"{path} is damaged: remove it, and a new key is generated.")
    return key


def _make(path: Path) -> None:
    """Create the key with a hard link, which appears with its content and never replaces a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first, and its key counts
    finally:
        draft.unlink()
