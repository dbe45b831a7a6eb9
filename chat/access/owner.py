"""Who is asking, and the only way to a conversation: through its owner.

In local mode there is no login: the person who reaches the port on this machine is the one owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.hashers import make_password
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from chat.db.lanes import read
from chat.errors import SessionNotFound
from chat.models import Conversation

LOCAL_OWNER = "owner"
"""Username of the one owner in local mode."""


def local_owner() -> User:
    """Return the one owner of local mode, who is also the admin. Created on first use."""
    owner, _ = User.objects.get_or_create(
        username=LOCAL_OWNER,
        defaults={"is_staff": True, "is_superuser": True, "password": make_password(None)},
    )
    return owner


async def owner_of(scope: Mapping[str, Any]) -> User:
    """Return the user whose conversations a connection may reach."""
    user = scope.get("user")
    return user if isinstance(user, User) else await read(local_owner)


def may_connect(user: User) -> bool:
    """Whether a user may set provider addresses. The server can reach hosts that the user cannot."""
    return user.is_active and user.is_staff


class LocalOwnerMiddleware(AuthenticationMiddleware):
    """Sets `request.user` to the owner, without a login. Nothing is read until a view uses it."""

    def process_request(self, request: HttpRequest) -> None:
        once = cache(local_owner)  # at most once per request
        request.user = SimpleLazyObject(once)  # type: ignore[assignment]  # as Django does
        request.auser = sync_to_async(once)


def find(owner: User, conversation_id: UUID | str) -> Conversation:
    """Return the owner's conversation. Raises `SessionNotFound`, also if it is somebody else's."""
    try:
        return Conversation.objects.of(owner).get(pk=UUID(str(conversation_id)))
    except (ValueError, Conversation.DoesNotExist):
        raise SessionNotFound from None
