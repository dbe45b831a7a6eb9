"""The read-only JSON interface: models, suggestions, conversations and their messages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from chat.access.owner import find
from chat.display.messages import so_far, text_sizes, views
from chat.errors import SessionNotFound
from chat.llm.catalogue.models import get_catalogue
from chat.models import Conversation, Message, Suggestion
from chat.models.branches import ids

PAGE = 50
"""Rows per response."""
PAGE_CHARACTERS = 1024 * 1024
"""Code points of messages per response: a larger page has fewer messages, but at least one."""


class OwnRequest(HttpRequest):
    """A request whose user the middleware has set."""

    user: User


@never_cache
@require_GET
async def models(request: HttpRequest) -> JsonResponse:
    """List the models, and name the one that answers unless another is chosen."""
    return JsonResponse(await get_catalogue().offer())


@never_cache
@require_GET
def suggestions(request: HttpRequest) -> JsonResponse:
    """List ways to begin a conversation, as an array of strings. They are edited in the admin."""
    shown = Suggestion.objects.filter(is_shown=True).values_list("text", flat=True)
    return JsonResponse(list(shown), safe=False)


@never_cache
@require_GET
def sessions(request: OwnRequest) -> JsonResponse:
    """List the owner's conversations, latest first; `?before=` a conversation's id for older ones."""
    listed = Conversation.objects.of(request.user).listed()
    if before := request.GET.get("before"):
        last = _find(request.user, before)
        older = Q(updated_at__lt=last.updated_at) | Q(updated_at=last.updated_at, id__lt=last.pk)
        listed = listed.filter(older)
    rows = list(listed[: PAGE + 1])
    return JsonResponse(
        {"sessions": [_session(row) for row in rows[:PAGE]], "has_more": len(rows) > PAGE}
    )


@never_cache
@require_GET
def messages(request: OwnRequest, conversation_id: UUID) -> JsonResponse:
    """List a conversation's messages in full, oldest first; `?before=` a message's id for older ones."""
    conversation = _find(request.user, conversation_id)
    leaf = conversation.leaf_id
    if before := request.GET.get("before"):
        leaf = _parent(conversation, before)
    found = ids(leaf, last=PAGE + 1)
    some = _latest_that_fit(found[-PAGE:])
    rows = Message.objects.in_bulk(some)
    shown = views([rows[pk] for pk in some], live=so_far(conversation), limits=None)
    return JsonResponse(
        {"messages": [view.as_json() for view in shown], "has_more": len(found) > len(some)}
    )


def _latest_that_fit(messages: list[UUID]) -> list[UUID]:
    """Return as many of the latest messages as fit into a response, but at least one."""
    sizes = text_sizes(messages)
    size, count = 0, 0
    for pk in reversed(messages):
        size += sizes[pk]
        if count and size > PAGE_CHARACTERS:
            break
        count += 1
    return messages[len(messages) - count :]


@never_cache
@require_GET
def message(request: OwnRequest, conversation_id: UUID, message_id: UUID) -> JsonResponse:
    """Return one message in full, even if snapshots cut it or it is not on the current branch."""
    conversation = _find(request.user, conversation_id)
    found = Message.objects.filter(conversation=conversation, pk=message_id, withdrawn=False)
    shown = views(found, live=so_far(conversation), limits=None)
    if not shown:
        raise Http404("There is no such message in this conversation.")
    return JsonResponse({"message": shown[0].as_json()})


def _find(user: User, conversation_id: UUID | str) -> Conversation:
    try:
        return find(user, conversation_id)
    except SessionNotFound as error:
        raise Http404(error.message) from None


def _parent(conversation: Conversation, message_id: str) -> UUID | None:
    try:
        message = Message.objects.get(conversation=conversation, pk=UUID(message_id))
    except (ValueError, Message.DoesNotExist):
        raise Http404("There is no such message in this conversation.") from None
    return message.parent_id


def _session(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": str(conversation.pk),
        "title": conversation.title,
        "model": conversation.model,
        "created_at": conversation.created_at.isoformat(),
        "updated_at": conversation.updated_at.isoformat(),
    }
