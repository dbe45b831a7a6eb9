"""Transitions of a turn in the database. Each is a conditional update whose row count is checked.

All functions are synchronous; those that take a `LiveTurn` run inside the journal's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from chat import publish, search
from chat.db import process, sql
from chat.llm.base import Usage
from chat.models import Conversation, Piece, SoFar, ToolCall, Turn
from chat.protocol import (
    ConversationChanged,
    ConversationChangedData,
    Outcome,
    StatusChanged,
    StatusData,
)
from chat.turns.live import LiveTurn


def take_next(conversation_id: UUID) -> LiveTurn | None:
    """Take the conversation's first queued turn. None: there is none, or another is live."""
    try:
        # a savepoint only if another process may interfere
        with transaction.atomic(savepoint=not process.is_alone()):
            return _take_next(conversation_id)
    except IntegrityError:
        return None  # another process took one at the same moment


_NEXT = """
SELECT turn.id, turn.message_id, turn.model, turn.context, turn.started_at IS NULL,
       turn.cancel_requested_at IS NOT NULL, chat.owner_id, chat.seq, turn.client_id,
       chat.titled_by = 'opening' AND NOT EXISTS (
           SELECT 1 FROM chat_turn answered
           WHERE answered.conversation_id = turn.conversation_id AND answered.status = 'completed'
       )
FROM chat_turn turn
JOIN chat_conversation chat ON chat.id = turn.conversation_id
WHERE turn.conversation_id = %s AND turn.status = 'queued' AND NOT EXISTS (
    SELECT 1 FROM chat_turn live
    WHERE live.conversation_id = turn.conversation_id AND live.status IN ('running', 'waiting')
)
ORDER BY turn.id LIMIT 1
"""
_TAKE = """
UPDATE chat_turn
SET status = 'running', process = %s, heartbeat_at = CURRENT_TIMESTAMP, started_at = %s
WHERE id = %s AND status = 'queued'
"""
_FIRST_PIECE = """
INSERT INTO chat_piece (turn_id, seq, text, thought) VALUES (%s, %s, '', 0)
"""


def _take_next(conversation_id: UUID) -> LiveTurn | None:
    found = sql.select(_NEXT, conversation_id)
    if not found or not sql.change(_TAKE, process.identity, timezone.now(), found[0][0]):
        return None  # none, or another process took it at the same moment
    turn_id, message_id, model, context, is_new, cancelled, owner_id, seq, sent, is_first = found[0]
    turn = LiveTurn(
        turn_id=turn_id,
        message_id=UUID(str(message_id)),
        conversation_id=conversation_id,
        owner_id=owner_id,
        client_id=sent,
        model=model,
        context=context,
        seq=seq,
        is_first=bool(is_first),
        stop="cancel" if cancelled else None,
    )
    if not is_new:
        return _resume(turn)
    if not cancelled:
        _begin(turn)
    return turn


def _begin(turn: LiveTurn) -> None:
    """Store a turn's first frame in the transaction that takes it, which saves a commit per turn."""
    turn.seq += 1
    data = StatusData(status="thinking", message_id=str(turn.message_id))
    turn.beginning = StatusChanged(data=data, seq=turn.seq)
    sql.change(_FIRST_PIECE, turn.turn_id, turn.seq)


def _resume(turn: LiveTurn) -> LiveTurn:
    """Restore a turn that ran before: its text, its usage, and its place after the last round."""
    so_far = Piece.objects.so_far(turn.turn_id)
    calls = ToolCall.objects.filter(message=turn.message_id).order_by("round")
    rounds = list(calls.values_list("round", "offset").distinct())
    used = Turn.objects.values_list(
        "input_tokens", "output_tokens", "cached_tokens", "cost", "note",
        "context_tokens", "context_window",
    )  # fmt: skip
    read, written, cached, cost, note, context_tokens, window = used.get(pk=turn.turn_id)
    return replace(
        turn,
        usage=None if read is None or written is None else Usage(read, written, cached or 0),
        cost=cost,
        context_tokens=context_tokens,
        context_window=window,
        seq=max(turn.seq, so_far.seq),
        parts=[so_far.text] if so_far.text else [],
        reasoning=[so_far.reasoning] if so_far.reasoning else [],
        round=rounds[-1][0] + 1 if rounds else 0,
        has_calls=bool(rounds),
        borders=[offset for _, offset in rounds],
        remarks=[note] if note else [],
    )


def exists(turn_id: int) -> bool:
    """Whether a turn still exists, and was not deleted with its conversation."""
    return Turn.objects.filter(pk=turn_id).exists()


_FINISH = """
UPDATE chat_turn
SET status = %s, ended_at = %s, error_code = %s, error = %s, error_details = %s, note = %s,
    input_tokens = %s, output_tokens = %s, cached_tokens = %s, cost = %s,
    context_tokens = %s, context_window = %s
WHERE id = %s AND status = 'running' AND process = %s
"""
_FILL = "UPDATE chat_message SET content = %s, reasoning = %s WHERE id = %s"
_DROP_PIECES = "DELETE FROM chat_piece WHERE turn_id = %s"
_MOVE_ON = "UPDATE chat_conversation SET seq = %s, updated_at = %s, unread = %s WHERE id = %s"


def finish(
    turn: LiveTurn,
    seq: int,
    *,
    status: Outcome,
    error_code: str = "",
    error: str = "",
    details: str = "",
    found: Sequence[str],
    is_watched: bool,
) -> None:
    """End a turn: its pieces become the message's content, whose words are `found`. The conversation
    is unread unless somebody watches it.
    """
    usage = turn.usage
    sql.change(
        _FINISH,
        *(status, timezone.now(), error_code, error, details, turn.note),
        *((usage.input_tokens, usage.output_tokens, usage.cached_tokens) if usage else [None] * 3),
        *(turn.cost, turn.context_tokens, turn.context_window),
        *(turn.turn_id, process.identity),
    )
    if turn.has_calls:
        close_calls(turn.message_id, "This call was stopped with its turn.")
    so_far = SoFar(seq, turn.text, "".join(turn.reasoning))
    fold(turn, so_far, found, is_watched=is_watched)


def close_calls(message_id: UUID, result: str) -> None:
    """Close calls that are still open, with a result that says why they have none."""
    ToolCall.objects.filter(message=message_id, status__in=ToolCall.OPEN).update(
        status=ToolCall.Status.FAILED, result=result, ended_at=timezone.now()
    )


def wait(turn: LiveTurn) -> None:
    """Release a turn until a person decides, or queue it at once if they already have."""
    held = Turn.objects.run_by(process.identity).filter(pk=turn.turn_id)
    held.select_for_update().first()  # lock it before its calls: see `approvals.resolve`
    calls = ToolCall.objects.filter(message=turn.message_id)
    asks = calls.pending().exists() and not calls.answerable().exists()
    waits = asks and held.filter(cancel_requested_at=None).exists()
    status = Turn.Status.WAITING if waits else Turn.Status.QUEUED
    used = {"context_tokens": turn.context_tokens, "context_window": turn.context_window}
    used |= asdict(turn.usage) if turn.usage else {}
    held.update(status=status, cost=turn.cost, note=turn.note, **used)
    if waits and not publish.is_watched(turn.conversation_id):
        _update_lists(turn.owner_id, turn.conversation_id)


def fold(turn: LiveTurn | Turn, so_far: SoFar, found: Sequence[str], *, is_watched: bool) -> None:
    """Move a turn's text into its message, index its words, and delete its pieces."""
    if isinstance(turn, LiveTurn):
        turn_id, owner_id = turn.turn_id, turn.owner_id
    else:
        turn_id, owner_id = turn.pk, turn.conversation.owner_id
    if so_far.text or so_far.reasoning:
        sql.change(_FILL, so_far.text, so_far.reasoning, turn.message_id)
        search.index_message(
            turn.message_id, found, conversation_id=turn.conversation_id, owner_id=owner_id
        )
    sql.change(_DROP_PIECES, turn_id)
    unread = not is_watched
    sql.change(_MOVE_ON, so_far.seq, timezone.now(), unread, turn.conversation_id)
    if not is_watched:
        _update_lists(owner_id, turn.conversation_id)


def _update_lists(owner_id: int, conversation_id: UUID) -> None:
    """Update the lists on the owner's other pages, because nobody watches this conversation."""
    data = ConversationChangedData(session_id=str(conversation_id))
    publish.announce(owner_id, ConversationChanged(data=data))


class Unfinished(NamedTuple):
    """A turn as the poller reads it."""

    pk: int
    conversation_id: UUID
    status: str
    process: str
    heartbeat_at: datetime | None
    cancel_requested_at: datetime | None


def unfinished() -> list[Unfinished]:
    """Read all turns that are queued, running or waiting, in the order of their questions."""
    rows = Turn.objects.unfinished().order_by("pk")
    return [Unfinished(*row) for row in rows.values_list(*Unfinished._fields)]


def latest_numbers(conversation_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the number of each conversation's last frame, including the live turn's."""
    written = Max("turn__piece__seq", filter=Q(turn__status__in=Turn.UNFINISHED))
    found = Conversation.objects.filter(pk__in=conversation_ids).annotate(written=written)
    return {pk: max(seq, last or 0) for pk, seq, last in found.values_list("pk", "seq", "written")}


def heartbeat() -> None:
    """Show that this process is alive."""
    # filtered by `unfinished`, whose index has few rows
    Turn.objects.unfinished().run_by(process.identity).update(heartbeat_at=Now())
