"""The request of a view, and the conversation that it refers to."""

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
    """A request with the attributes that the middleware sets."""

    htmx: HtmxDetails
    user: User


def page_path(request: HtmxRequest) -> str:
    """The path of the requesting page, which HTMX names; empty if it is unknown."""
    if not getattr(request, "htmx", None):  # also a request refused before the middleware ran
        return request.path
    try:
        return request.htmx.current_url_abs_path or ""
    except ValueError:  # not a URL
        return ""


def find_or_404(user: User, conversation_id: UUID) -> Conversation:
    """Return the owner's conversation, or raise `Http404`."""
    try:
        return owner.find(user, conversation_id)
    except SessionNotFound:
        raise Http404 from None


def current_conversation(request: HtmxRequest) -> Conversation | None:
    """The conversation on the requesting page, which may have got its URL after it was loaded."""
    match = _CURRENT.match(page_path(request))
    if match is None:
        return None
    try:
        return owner.find(request.user, match[1])
    except SessionNotFound:
        return None


def meant_conversation(request: HtmxRequest, conversation_id: UUID | None) -> Conversation | None:
    """The conversation in the URL, or else the one on the requesting page."""
    return (
        find_or_404(request.user, conversation_id)
        if conversation_id
        else current_conversation(request)
    )
