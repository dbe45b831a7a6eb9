"""What `session_created` carries: a conversation as it is now, and the live turn so far.

A snapshot is read in one database snapshot, so that its `seq` says exactly which frames it
includes: the server commits before it tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC
from uuid import UUID

from django.contrib.auth.models import User

from chat.access import find
from chat.branches import branch, siblings
from chat.database import one_snapshot
from chat.models import Conversation, Message, Piece, SoFar, ToolCall, Turn
from chat.protocol import (
    SNAPSHOT_CALLS_BYTES,
    SNAPSHOT_CONTENT_BYTES,
    SNAPSHOT_MESSAGES,
    Done,
    MessageView,
    SessionCreated,
    SessionCreatedData,
    ToolCallView,
    TurnStatus,
    TurnView,
    UsageView,
    arguments_object,
)
from chat.turns import engine


def session_created(
    owner: User, session_id: UUID, default_model: str, *, awaited: Collection[UUID] = ()
) -> tuple[SessionCreated, list[Turn]]:
    """A conversation of the owner's as it is now, and those of `awaited` answers' turns that are
    over in this same state. Raises `SessionNotFound`.
    """
    with one_snapshot():
        conversation = find(owner, session_id)
        messages = branch(conversation.leaf_id, last=SNAPSHOT_MESSAGES)
        turns = Turn.objects.filter(conversation=conversation)
        live = turns.live().select_related("message").first()
        so_far = Piece.objects.so_far(live.pk) if live else SoFar(0, "", "")
        data = SessionCreatedData(
            session_id=str(conversation.pk),
            title=conversation.title,
            model=conversation.model or default_model,
            resumed=True,
            messages=views(messages, live={live.message_id: so_far} if live else {}),
            seq=max(conversation.seq, so_far.seq),
            turn=_turn_view(live, so_far, turns.queued().count()) if live else None,
        )
        over = [turn for turn in turns.filter(message__in=awaited).order_by("pk") if turn.is_over]
    return SessionCreated(data=data), over


def begun(conversation: Conversation, default_model: str) -> SessionCreated:
    """The snapshot of a conversation that was made a moment ago."""
    return SessionCreated(
        data=SessionCreatedData(
            session_id=str(conversation.pk),
            title="",
            model=conversation.model or default_model,
            resumed=False,
            messages=(),
            seq=0,
            turn=None,
        )
    )


def done(turn: Turn) -> Done:
    """The end of a turn that is over, without a number."""
    return Done(
        message_id=str(turn.message_id),
        status=turn.status,
        client_id=turn.client_id,
        usage=usage_view(turn),
    )


def so_far(conversation: Conversation) -> dict[UUID, SoFar]:
    """What the live turn, if any, has written so far, by its message's id."""
    live = Turn.objects.filter(conversation=conversation).live().first()
    return {live.message_id: Piece.objects.so_far(live.pk)} if live else {}


def views(
    messages: Iterable[Message], *, live: dict[UUID, SoFar], whole: bool = False
) -> tuple[MessageView, ...]:
    """Messages as clients see them, in the given order; `live` is what live ones wrote so far.

    Long ones are cut for a snapshot, which is one frame; `whole` leaves them as they are.
    """
    messages = list(messages)
    ids = [message.pk for message in messages]
    turns = {turn.message_id: turn for turn in Turn.objects.filter(message__in=ids)}
    calls = list(ToolCall.objects.filter(message__in=ids))
    most = None if whole else _share(calls)
    versions = siblings(messages)
    return tuple(
        _message_view(
            message,
            turns.get(message.pk),
            [call_view(call, most) for call in calls if call.message_id == message.pk],
            versions[message.pk],
            live.get(message.pk) or SoFar(0, message.content, message.reasoning),
            is_live=message.pk in live,
            whole=whole,
        )
        for message in messages
    )


def _message_view(
    message: Message,
    turn: Turn | None,
    calls: list[ToolCallView],
    versions: tuple[str, ...],
    said: SoFar,
    *,
    is_live: bool,
    whole: bool,
) -> MessageView:
    content = said.text if whole else cut(said.text)
    return MessageView(
        id=str(message.pk),
        parent_id=str(message.parent_id) if message.parent_id else None,
        siblings=versions,
        role=message.role,
        content=content,
        truncated=True if content != said.text else None,
        reasoning=(said.reasoning if whole else cut(said.reasoning)) or None,
        tool_calls=tuple(calls),
        status=_shown_status(turn, is_live=is_live),
        model=(turn.model or None) if turn else None,
        usage=usage_view(turn) if turn else None,
        client_id=message.client_id,
        error=turn.error if turn and turn.error else None,
        error_details=turn.error_details if turn and turn.error_details else None,
        note=turn.note if turn and turn.note else None,
        context_tokens=turn.context_tokens if turn else None,
        context_window=turn.context_window if turn else None,
        created_at=message.created_at.astimezone(UTC).isoformat(),
    )


def cut(content: str, most: int | None = SNAPSHOT_CONTENT_BYTES) -> str:
    """Content for a snapshot: at most so many bytes of UTF-8, whole code points; None: all."""
    if most is None or len(content) * 4 <= most:
        return content
    return content.encode()[:most].decode(errors="ignore")


def usage_view(turn: Turn) -> UsageView | None:
    if turn.input_tokens is None or turn.output_tokens is None:
        return None
    return UsageView(
        input_tokens=turn.input_tokens,
        output_tokens=turn.output_tokens,
        cached_tokens=turn.cached_tokens or 0,
        cost=None if turn.cost is None else float(turn.cost),
    )


def _share(calls: Sequence[ToolCall]) -> int:
    """What each of the calls of a snapshot may take of it, in bytes."""
    return min(SNAPSHOT_CONTENT_BYTES, SNAPSHOT_CALLS_BYTES // max(1, len(calls)))


def call_view(call: ToolCall, most: int | None) -> ToolCallView:
    """A call, its texts cut to so many bytes; who has to decide gets its arguments whole."""
    is_open = call.status in ToolCall.OPEN
    result = "" if is_open else call.result
    shown = cut(result, most)
    arguments, edited = (
        text if is_open else cut(text, most) for text in (call.arguments, call.edited_arguments)
    )
    whole = (result, call.arguments, call.edited_arguments)
    return ToolCallView(
        call_id=call.call_id,
        name=call.name,
        arguments=arguments_object(arguments),
        status=call.status,
        content=None if is_open else shown,
        truncated=True if (shown, arguments, edited) != whole else None,
        is_error=call.is_error,
        offset=call.offset,
        edited_arguments=arguments_object(edited) if edited else None,
        seconds=_seconds(call),
    )


def _shown_status(turn: Turn | None, *, is_live: bool) -> str:
    if turn is None:
        return Turn.Status.COMPLETED
    is_decided = is_live and turn.status == Turn.Status.QUEUED  # it goes on in a moment
    return Turn.Status.RUNNING if is_decided else turn.status


def _seconds(call: ToolCall) -> float | None:
    if call.started_at is None or call.ended_at is None:
        return None
    return max(0.0, round((call.ended_at - call.started_at).total_seconds(), 3))


def _turn_view(turn: Turn, so_far: SoFar, queued: int) -> TurnView:
    calls = list(ToolCall.objects.filter(message=turn.message_id))
    waiting = engine.waiting(turn.pk)
    return TurnView(
        message_id=str(turn.message_id),
        content=so_far.text,
        reasoning=cut(so_far.reasoning) or None,
        status=_status(turn, so_far.text, calls),
        tool_calls=tuple(call_view(call, _share(calls)) for call in calls),
        queued=queued,
        note=waiting.note if waiting else None,
        since=waiting.since if waiting else None,
    )


def _status(turn: Turn, text: str, calls: list[ToolCall]) -> TurnStatus:
    if turn.status == Turn.Status.WAITING:
        return "waiting_approval"
    if any(call.status in ToolCall.OPEN for call in calls):
        return "tool_calling"
    return "responding" if len(text) > (calls[-1].offset if calls else 0) else "thinking"
