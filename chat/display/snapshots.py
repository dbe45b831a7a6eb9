"""The content of `session_created`: a conversation as it is now, and the live turn so far.

A snapshot is read in one database snapshot, so its `seq` says exactly which frames it includes: the
server commits before it sends. It is one frame of at most 1 MiB: long texts are cut, of very many
calls it has the first and the last ones, and it says so.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from uuid import UUID

from django.contrib.auth.models import User

from chat.access.owner import find
from chat.db.lanes import one_snapshot
from chat.display.calls import call_views, read_calls
from chat.display.limits import Limits, cut_text
from chat.display.messages import views
from chat.models import Conversation, Piece, SoFar, ToolCall, Turn
from chat.models.branches import beginnings
from chat.protocol import (
    MAX_FRAME_BYTES,
    SNAPSHOT_MESSAGES,
    Done,
    SessionCreated,
    SessionCreatedData,
    TurnStatus,
    TurnView,
)
from chat.protocol.sizes import SHOWN, cut_for_json
from chat.turns import ends, engine
from chat.turns.ends import usage_view


def session_created(
    owner: User, session_id: UUID, default_model: str, *, awaited: Collection[UUID] = ()
) -> tuple[SessionCreated, list[Turn]]:
    """Read a conversation of the owner's, and those turns of `awaited` answers that are over in the
    same state. Raises `SessionNotFound`.
    """
    with one_snapshot():
        conversation = find(owner, session_id)
        messages = beginnings(conversation.leaf_id, last=SNAPSHOT_MESSAGES, most=SHOWN)
        turns = Turn.objects.filter(conversation=conversation)
        live = turns.live().select_related("message").first()
        so_far = Piece.objects.so_far(live.pk) if live else SoFar(0, "", "")
        queued = turns.queued().count() if live else 0
        data = partial(
            SessionCreatedData,
            session_id=str(conversation.pk),
            title=conversation.title,
            model=conversation.model or default_model,
            resumed=True,
            seq=max(conversation.seq, so_far.seq),
        )
        limits = Limits()
        while True:
            shown = views(messages, live={live.message_id: so_far} if live else {}, limits=limits)
            turn = _turn_view(live, so_far, queued, limits) if live else None
            snapshot = SessionCreated(data=data(messages=shown, turn=turn))
            if len(snapshot.encode().encode()) <= MAX_FRAME_BYTES:
                break
            limits = limits.halve()
        over = [turn for turn in turns.filter(message__in=awaited).order_by("pk") if turn.is_over]
    return snapshot, over


def empty(conversation: Conversation, default_model: str) -> SessionCreated:
    """Make the snapshot of a conversation that was just created."""
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
    """Make the frame, without a number, that tells of the end of a turn that is over."""
    return ends.done(turn, turn.status, usage_view(turn))


def _turn_view(turn: Turn, so_far: SoFar, queued: int, limits: Limits) -> TurnView:
    found, counts = read_calls([turn.message_id], limits)
    calls = found[turn.message_id]
    content = cut_for_json(so_far.text, limits.live)
    waiting = engine.waiting(turn.pk)
    count = counts.get(turn.message_id, 0)
    return TurnView(
        message_id=str(turn.message_id),
        content=content,
        truncated=True if content != so_far.text else None,
        length=len(so_far.text) if content != so_far.text else None,
        reasoning=cut_text(so_far.reasoning, limits.live) or None,
        status=_status(turn, so_far.text, calls),
        tool_calls=call_views(calls, limits),
        calls=None if len(calls) == count else count,
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
