"""Recovers the turns of a server that died.

A recovery is one transaction. It leaves alone a turn that has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from chat.db import process
from chat.models import Conversation, Piece, SoFar, ToolCall, Turn
from chat.protocol import (
    Frame,
    StatusChanged,
    StatusData,
    ToolFinished,
    ToolResultData,
)
from chat.search.words import words
from chat.turns import toolbox
from chat.turns.ends import done
from chat.turns.transitions import close_calls, fold

UNKNOWN_RESULT = "The server stopped while this ran. It may or may not have had its effect."


@transaction.atomic
def recover(turn_id: int, dead_process: str, *, seen_at: datetime | None) -> list[Frame]:
    """Free a turn whose process is dead, unless it changed meanwhile. Returns the frames that say so.

    Text that was shown is kept and the turn is `interrupted`; a tool call that was running is
    `unknown`, and is not run again unless its tool is repeatable. A turn that had shown nothing, or
    has calls that may still run, is queued again; one that waits for a person goes on waiting.
    """
    # lock the conversation first, as everywhere: another order could deadlock
    Conversation.objects.select_for_update(of=("self",)).filter(turn=turn_id).first()
    turn = _held_by(dead_process, turn_id, seen_at)
    if turn is None:
        return []
    unknown = _settle_running_calls(turn)
    so_far = Piece.objects.so_far(turn.pk)
    status = _after_a_crash(turn, so_far)
    frames = [*map(_result_frame, unknown), *_end_frames(turn, status)]
    seq = max(turn.conversation.seq, so_far.seq)
    so_far = so_far._replace(seq=seq + len(frames))
    changes: dict[str, object] = {"status": status}
    if status in Turn.UNFINISHED:
        Conversation.objects.filter(pk=turn.conversation_id).update(seq=so_far.seq)
    else:
        close_calls(turn.message_id, "The server stopped before this ran.")
        fold(turn, so_far, words(so_far.text), is_watched=False)
        # this process sends its frames
        changes |= {"ended_at": timezone.now(), "process": process.identity}
    Turn.objects.filter(pk=turn.pk).update(**changes)
    return [frame.with_number(number) for number, frame in enumerate(frames, seq + 1)]


def _held_by(process_id: str, turn_id: int, seen_at: datetime | None) -> Turn | None:
    held = Turn.objects.run_by(process_id).filter(pk=turn_id)
    if seen_at is not None:
        # No sign of life since. SQLite compares text, and Django writes a whole second without the
        # fraction that `Now` has: "less than a moment later" holds for both.
        held = held.filter(heartbeat_at__lt=seen_at + timedelta(microseconds=1))
    related = held.select_for_update(of=("self",)).select_related("conversation")
    return related.first()


def _settle_running_calls(turn: Turn) -> list[ToolCall]:
    """Queue calls that ran when their server died, if their tools are repeatable. Returns the others,
    whose effect is unknown."""
    unknown = []
    for call in ToolCall.objects.filter(message=turn.message_id, status=ToolCall.Status.RUNNING):
        tool = toolbox.registry().get(call.name)
        if tool is not None and tool.repeatable:
            call.status = ToolCall.Status.APPROVED
        else:
            call.status, call.ended_at = ToolCall.Status.UNKNOWN, timezone.now()
            call.result = UNKNOWN_RESULT
            unknown.append(call)
        call.save(update_fields=["status", "ended_at", "result"])
    return unknown


def _after_a_crash(turn: Turn, so_far: SoFar) -> Turn.Status:
    calls = ToolCall.objects.filter(message=turn.message_id)
    if turn.cancel_requested_at is not None:
        return Turn.Status.CANCELLED
    if calls.answerable().exists():
        return Turn.Status.QUEUED
    if calls.pending().exists():
        return Turn.Status.WAITING
    has_shown = so_far.text or so_far.reasoning or calls.exists()
    return Turn.Status.INTERRUPTED if has_shown else Turn.Status.QUEUED


def _result_frame(call: ToolCall) -> Frame:
    data = ToolResultData(
        call_id=call.call_id, name=call.name, content=call.result, is_error=call.is_error
    )
    return ToolFinished(data=data)


def _end_frames(turn: Turn, status: Turn.Status) -> Iterator[Frame]:
    """Yield the frames for a turn that a dead server left."""
    if status == Turn.Status.WAITING:
        data = StatusData(status="waiting_approval", message_id=str(turn.message_id))
        yield StatusChanged(data=data)
    elif status not in Turn.UNFINISHED:
        yield done(turn, status)
