"""What a server finds in the rows of one that died."""

from __future__ import annotations

import pytest
from django.db.models.expressions import RawSQL

from chat.access import local_owner
from chat.models import Piece, Turn
from chat.turns import rows
from tests.test_views import talk

pytestmark = [pytest.mark.django_db, pytest.mark.promise(4)]


@pytest.mark.parametrize("fraction", [".000", ".120", ".123"])
def test_a_dead_servers_turn_is_ended_whenever_it_died(fraction: str) -> None:
    """SQLite compares times as text: a whole second is written in two ways."""
    talk(local_owner(), "Hi", "")
    heartbeat = RawSQL(f"'2026-01-01 00:00:30{fraction}'", [])  # noqa: S611  # as `Now` writes it
    Turn.objects.update(status="running", process="dead", heartbeat_at=heartbeat)
    Piece.objects.create(turn=Turn.objects.get(), seq=1, text="Half")
    (found,) = rows.unfinished()
    assert rows.recover(found.pk, "dead", seen_at=found.heartbeat_at)
    assert Turn.objects.get().status == "interrupted"
