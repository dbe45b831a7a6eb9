"""How a server recovers the turns of one that died."""

from __future__ import annotations

import pytest
from django.db.models.expressions import RawSQL

from chat.access.owner import local_owner
from chat.models import Piece, ToolCall, Turn
from chat.turns import recovery, transitions
from tests.support.conversations import talk

pytestmark = [pytest.mark.django_db, pytest.mark.promise(4)]


@pytest.mark.parametrize("fraction", [".000", ".120", ".123"])
def test_a_dead_servers_turn_ends_whatever_its_last_heartbeat(fraction: str) -> None:
    """SQLite compares times as text, and a whole second may be written in two ways."""
    talk(local_owner(), "Hi", "")
    heartbeat = RawSQL(f"'2026-01-01 00:00:30{fraction}'", [])  # noqa: S611  # as `Now` writes it
    Turn.objects.update(status="running", process="dead", heartbeat_at=heartbeat)
    Piece.objects.create(turn=Turn.objects.get(), seq=1, text="Half")
    (found,) = transitions.unfinished()
    assert recovery.recover(found.pk, "dead", seen_at=found.heartbeat_at)
    assert Turn.objects.get().status == "interrupted"


@pytest.mark.parametrize(
    ("others", "becomes", "told"),
    [
        (["pending"], "waiting", ["tool_result", "status"]),
        (["pending", "approved"], "queued", ["tool_result"]),
        (["pending", "denied"], "queued", ["tool_result"]),
        (["finished"], "interrupted", ["tool_result", "done"]),
    ],
)
def test_recovery_changes_only_the_running_call(
    others: list[str], becomes: str, told: list[str]
) -> None:
    conversation = talk(local_owner(), "Hi", "")
    Turn.objects.update(status="running", process="dead")
    turn = Turn.objects.get()
    Piece.objects.create(turn=turn, seq=7, text="Half")
    for number, status in enumerate(["running", *others]):
        ToolCall.objects.create(
            message_id=turn.message_id, call_id=str(number), round=0, offset=0, name="write_file",
            arguments="{}", status=status, ended_at=turn.created_at if status == "finished" else None,
        )  # fmt: skip
    frames = recovery.recover(turn.pk, "dead", seen_at=None)
    assert [getattr(frame, "event", frame.type) for frame in frames] == told
    assert [frame.seq for frame in frames] == list(range(8, 8 + len(told)))
    assert Turn.objects.get().status == becomes
    found = ToolCall.objects.order_by("call_id").values_list("status", flat=True)
    assert list(found) == ["unknown", *others]
    conversation.refresh_from_db()
    assert conversation.seq == frames[-1].seq
    assert not recovery.recover(turn.pk, "dead", seen_at=None)  # it is no longer the dead server's
