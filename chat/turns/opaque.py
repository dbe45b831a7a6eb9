"""Opaque parts, which only their model reads: kept beside its answer, sent back with the history."""

from __future__ import annotations

from collections.abc import Iterable

from chat.llm.base import Opaque
from chat.models import OpaquePart
from chat.turns.journal import Journal
from chat.turns.live import Entry, LiveTurn


def parts_of(turn: LiveTurn, opaque: Iterable[Opaque], call_id: str = "") -> list[OpaquePart]:
    """Make the rows for opaque parts of the turn's current round, or of one of its calls."""
    return [
        OpaquePart(
            message_id=turn.message_id,
            round=turn.round,
            call_id=call_id,
            kind=part.kind,
            source=part.source,
            data=part.data,
        )
        for part in opaque
    ]


def thought(turn: LiveTurn) -> list[OpaquePart]:
    """Note that the text of the turn's current round so far was reasoning."""
    return parts_of(turn, [Opaque(OpaquePart.THOUGHT, "", str(turn.length))])


def keep(turn: LiveTurn, journal: Journal, parts: list[OpaquePart]) -> None:
    """Store parts with the journal's next commit of the turn."""

    def insert(_seq: int) -> None:
        for part in parts:
            part.pk = None  # it may be left from a rolled-back insert
        OpaquePart.objects.bulk_create(parts)

    if parts:
        journal.add(turn, Entry(write=insert))
