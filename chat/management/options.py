"""What commands take in the same way."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from chat.access import LOCAL_OWNER, local_owner


def user_named(name: str) -> User:
    """The user that `--user` names. The local owner is made when first named."""
    if name == LOCAL_OWNER:
        return local_owner()
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}: the admin lists them at /admin/auth/user/.")
    return user
