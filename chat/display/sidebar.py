"""The sidebar: chats that need a decision, pinned chats, the most recent ones and the current one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils.functional import SimpleLazyObject

from chat.models import Conversation, ToolCall

RECENT = 3
"""Recent conversations in the sidebar, besides the current one and pinned ones."""
PENDING_CALLS = 50
"""Pending calls whose conversations the sidebar shows, whatever their age."""
PINNED = 12
"""Pinned conversations in the sidebar."""


def sidebar_for(user: User, current: Conversation | None) -> Any:
    """The content of `lists/sidebar.html`, read only when a template uses it: many responses do not."""
    return SimpleLazyObject(lambda: _sidebar(user, current))


def _sidebar(user: User, current: Conversation | None) -> dict[str, Any]:
    """Read the conversations that wait for the owner, the pinned, the recent and the current one."""
    begun = Conversation.objects.of(user)
    listed = begun.listed()
    pinned = list(listed.filter(pinned=True)[: PINNED + 1])
    recent = list(listed.filter(pinned=False)[: RECENT + 1])
    has_more = len(pinned) > PINNED or len(recent) > RECENT
    pinned, recent = pinned[:PINNED], recent[:RECENT]
    waits = _find_pending(user)
    shown = {conversation.pk for conversation in (*pinned, *recent)}
    asking = list(begun.filter(pk__in=waits - shown).order_by("-updated_at", "-id"))
    if (
        current is not None
        and current.leaf_id is not None
        and current not in [*asking, *pinned, *recent]
    ):
        recent.append(current)
    return {
        "groups": [("Waiting for you", asking), ("Pinned", pinned), ("Recent", recent)],
        "waiting": waits,
        "current_id": current.pk if current else None,
        "has_more": has_more or begun.listed(archived=True).exists(),
    }


def _find_pending(user: User) -> set[UUID]:
    """Return the conversations whose calls have waited longest."""
    pending = ToolCall.objects.pending().filter(message__owner=user).order_by("pk")
    return set(pending.values_list("message__conversation", flat=True)[:PENDING_CALLS])


def waiting_in(conversations: Iterable[Conversation]) -> set[UUID]:
    """Return the conversations with a pending call."""
    pending = ToolCall.objects.pending().filter(message__conversation__in=list(conversations))
    return set(pending.values_list("message__conversation", flat=True))
