"""What commands take in the same way."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from chat.access.owner import LOCAL_OWNER, local_owner


def user_named(name: str) -> User:
    """The user that `--user` names. The local owner is made when first named."""
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
            f"{text!r} is no id of a conversation: it stands in its address."
        ) from None


def file_named(path: Path) -> Path:
    """The path with `~` written out, if it can be one at all."""
    try:
        found = path.expanduser()
        found.is_dir()  # asks the system, which refuses a name that is too long
    except (OSError, RuntimeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise CommandError(f"{str(path)[:200]!r} is no path: {reason}") from None
    if not is_text(str(found)):
        raise CommandError(f"{str(path)!r} is no path: a name must be UTF-8.")
    return found


def is_text(argument: str) -> bool:
    """Bytes of the command line that are no UTF-8 arrive as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)
