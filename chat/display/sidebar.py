"""The sidebar: chats that need a decision, pinned chats, the most recent ones and the current one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils.functional import SimpleLazyObject

from chat.models import Conversation, ToolCall

RECENT = 3
"""Conversations that the sidebar shows, besides the current one and pinned ones."""
ASKING = 50
"""Calls that wait for a person, whose conversations the sidebar shows whatever their age."""
PINNED = 12
"""Pinned ones that the sidebar shows."""


def sidebar_for(user: User, current: Conversation | None) -> Any:
    """What `lists/sidebar.html` shows, read when a template asks for it: many answers are only a part."""
    return SimpleLazyObject(lambda: _sidebar(user, current))


def _sidebar(user: User, current: Conversation | None) -> dict[str, Any]:
    """What waits for the owner, pinned conversations, the latest others, and the current one."""
    begun = Conversation.objects.of(user)
    listed = begun.listed()
    pinned = list(listed.filter(pinned=True)[: PINNED + 1])
    recent = list(listed.filter(pinned=False)[: RECENT + 1])
    has_more = len(pinned) > PINNED or len(recent) > RECENT
    pinned, recent = pinned[:PINNED], recent[:RECENT]
    waits = _asking(user)
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


def _asking(user: User) -> set[UUID]:
    """The conversations whose tool calls have waited longest."""
    pending = ToolCall.objects.pending().filter(message__owner=user).order_by("pk")
    return set(pending.values_list("message__conversation", flat=True)[:ASKING])


def waiting_in(conversations: Iterable[Conversation]) -> set[UUID]:
    """Those in which a tool call waits for a person."""
    pending = ToolCall.objects.pending().filter(message__conversation__in=list(conversations))
    return set(pending.values_list("message__conversation", flat=True))
