"""What the views share: the request, the conversation that is meant, the lists around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from chat import access
from chat.errors import SessionNotFound
from chat.models import Conversation, ToolCall

RECENT = 3
"""Conversations that the sidebar shows, besides the current one and pinned ones."""
ASKING = 50
"""Calls that wait for a person, whose conversations the sidebar shows whatever their age."""
PINNED = 12
"""Pinned ones that the sidebar shows."""
_CURRENT = re.compile(r"^/c/([0-9a-f-]{36})/")


class HtmxRequest(HttpRequest):
    """What the middleware makes of a request."""

    htmx: HtmxDetails
    user: User


def path(request: HtmxRequest) -> str:
    """Of the page that asks: HTMX names it, for a part of it. Empty: it cannot be told."""
    if not getattr(request, "htmx", None):  # also where a request was refused before that is known
        return request.path
    try:
        return request.htmx.current_url_abs_path or ""
    except ValueError:  # no address at all
        return ""


def find(user: User, conversation_id: UUID) -> Conversation:
    """The owner's conversation, or a page that says that there is nothing."""
    try:
        return access.find(user, conversation_id)
    except SessionNotFound:
        raise Http404 from None


def current(request: HtmxRequest) -> Conversation | None:
    """The conversation on the page that asks, which may have got its URL after it was loaded."""
    match = _CURRENT.match(path(request))
    if match is None:
        return None
    try:
        return access.find(request.user, match[1])
    except SessionNotFound:
        return None


def meant(request: HtmxRequest, conversation_id: UUID | None) -> Conversation | None:
    """The conversation that the address names, else the one on the page that asks."""
    return find(request.user, conversation_id) if conversation_id else current(request)


def sidebar(user: User, current: Conversation | None) -> Any:
    """What `lists/sidebar.html` shows, read on first use: many answers are only a part of a page."""
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


def waiting(conversations: Iterable[Conversation]) -> set[UUID]:
    """Those in which a tool call waits for a person."""
    pending = ToolCall.objects.pending().filter(message__conversation__in=list(conversations))
    return set(pending.values_list("message__conversation", flat=True))
