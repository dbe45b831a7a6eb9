"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from chat.access.owner import LOCAL_OWNER, local_owner


def get_user(name: str) -> User:
    """Return the user that `--user` names. The local owner is created when first named."""
    if name == LOCAL_OWNER:
        return local_owner()
    user = User.objects.filter(username=name).first() if is_text(name) else None
    if user is None:
        raise CommandError(f"There is no user {name!r}: the admin lists them at /admin/auth/user/.")
    return user


def conversation_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is not a conversation's id: copy it from the conversation's address."
        ) from None


def expand_path(path: Path) -> Path:
    """Return the path with `~` expanded, or refuse it if it cannot be one."""
    try:
        found = path.expanduser()
        found.is_dir()  # the system refuses a name that is too long
    except (OSError, RuntimeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise CommandError(f"{str(path)[:200]!r} is not a path: {reason}") from None
    if not is_text(str(found)):
        raise CommandError(f"{str(path)!r} is not a path: a name must be UTF-8.")
    return found


def is_text(argument: str) -> bool:
    """Whether an argument is valid UTF-8: other bytes arrive as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)
