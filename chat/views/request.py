"""The request of a view, and the conversation that it means."""

from __future__ import annotations

import re
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from chat.access import owner
from chat.errors import SessionNotFound
from chat.models import Conversation

_CURRENT = re.compile(r"^/c/([0-9a-f-]{36})/")


class HtmxRequest(HttpRequest):
    """What the middleware makes of a request."""

    htmx: HtmxDetails
    user: User


def page_path(request: HtmxRequest) -> str:
    """Of the page that asks: HTMX names it, for a part of it. Empty: it cannot be told."""
    if not getattr(request, "htmx", None):  # also where a request was refused before that is known
        return request.path
    try:
        return request.htmx.current_url_abs_path or ""
    except ValueError:  # no address at all
        return ""


def find_or_404(user: User, conversation_id: UUID) -> Conversation:
    """The owner's conversation, or a page that says that there is nothing."""
    try:
        return owner.find(user, conversation_id)
    except SessionNotFound:
        raise Http404 from None


def current_conversation(request: HtmxRequest) -> Conversation | None:
    """The conversation on the page that asks, which may have got its URL after it was loaded."""
    match = _CURRENT.match(page_path(request))
    if match is None:
        return None
    try:
        return owner.find(request.user, match[1])
    except SessionNotFound:
        return None


def meant_conversation(request: HtmxRequest, conversation_id: UUID | None) -> Conversation | None:
    """The conversation that the address names, else the one on the page that asks."""
    return (
        find_or_404(request.user, conversation_id)
        if conversation_id
        else current_conversation(request)
    )
