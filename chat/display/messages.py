"""Messages as clients see them: over the socket, over HTTP, and on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Length

from chat.display.calls import call_view, read_calls
from chat.display.limits import CallShare, Limits, cut_text, share_of_calls, share_of_texts
from chat.models import Conversation, Message, Piece, SoFar, ToolCall, Turn
from chat.models.branches import Versions, siblings
from chat.protocol import MAX_TEXT, MessageView, ToolCallView
from chat.turns.ends import usage_view


def so_far(conversation: Conversation) -> dict[UUID, SoFar]:
    """Return the live turn's text so far, if there is one, by its message's id."""
    live = Turn.objects.filter(conversation=conversation).live().first()
    return {live.message_id: Piece.objects.so_far(live.pk)} if live else {}


def views(
    messages: Iterable[Message], *, live: dict[UUID, SoFar], limits: Limits | None
) -> tuple[MessageView, ...]:
    """Make the views of messages, in the given order; `live` has the text so far of live ones.

    Without `limits` they are whole.
    """
    messages = list(messages)
    ids = [message.pk for message in messages]
    turns = {turn.message_id: turn for turn in Turn.objects.filter(message__in=ids)}
    calls, counts = read_calls(ids, limits)
    said = {m.pk: live.get(m.pk) or SoFar(0, m.content, m.reasoning) for m in messages}
    together = [ids] if limits and not limits.is_each else [[pk] for pk in ids]
    most: dict[UUID, CallShare] = {}
    texts: dict[UUID, int | None] = {}
    for some in together:
        most |= dict.fromkeys(some, share_of_calls([c for pk in some for c in calls[pk]], limits))
        texts |= dict.fromkeys(some, share_of_texts([said[pk] for pk in some], limits))
    versions = siblings(messages)
    return tuple(
        _message_view(
            message,
            turns.get(message.pk),
            tuple(call_view(call, most[message.pk], limits) for call in calls[message.pk]),
            counts.get(message.pk, 0),
            versions[message.pk],
            said[message.pk],
            is_live=message.pk in live,
            most=texts[message.pk],
            limits=limits,
        )
        for message in messages
    )


def _message_view(
    message: Message,
    turn: Turn | None,
    calls: tuple[ToolCallView, ...],
    count: int,
    versions: Versions,
    said: SoFar,
    *,
    is_live: bool,
    most: int | None,
    limits: Limits | None,
) -> MessageView:
    is_whole = limits is not None and limits.is_each and message.role == Message.Role.USER
    content = said.text if is_whole and len(said.text) <= MAX_TEXT else cut_text(said.text, most)
    remarks = limits.remarks if limits else None
    are_all_named = len(versions.ids) == versions.count
    return MessageView(
        id=str(message.pk),
        parent_id=str(message.parent_id) if message.parent_id else None,
        siblings=versions.ids,
        version=None if are_all_named else versions.number,
        versions=None if are_all_named else versions.count,
        role=message.role,
        content=content,
        truncated=True if content != said.text else None,
        reasoning=cut_text(said.reasoning, most) or None,
        tool_calls=calls,
        calls=None if len(calls) == count else count,
        status=_shown_status(turn, is_live=is_live),
        model=(turn.model or None) if turn else None,
        usage=usage_view(turn) if turn else None,
        client_id=message.client_id,
        error=cut_text(turn.error, remarks) or None if turn else None,
        error_details=cut_text(turn.error_details, remarks) or None if turn else None,
        note=cut_text(turn.note, remarks) or None if turn else None,
        context_tokens=turn.context_tokens if turn else None,
        context_window=turn.context_window if turn else None,
        created_at=message.created_at.astimezone(UTC).isoformat(),
    )


def _shown_status(turn: Turn | None, *, is_live: bool) -> str:
    if turn is None:
        return Turn.Status.COMPLETED
    is_decided = is_live and turn.status == Turn.Status.QUEUED  # it continues in a moment
    return Turn.Status.RUNNING if is_decided else turn.status


def text_sizes(ids: Collection[UUID]) -> Counter[UUID]:
    """Count the code points of messages with their calls, by message."""
    said = Message.objects.filter(pk__in=ids).order_by().values_list("pk")
    sizes = Counter(dict(said.annotate(size=Length("content") + Length("reasoning"))))
    size = Sum(Length("arguments") + Length("edited_arguments") + Length("result"))
    rows = ToolCall.objects.filter(message__in=ids).order_by().values_list("message")
    sizes.update(dict(rows.annotate(size=size)))
    return sizes
