"""The transaction of a tick: what is new of all turns of the process, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic, perf_counter, thread_time

from django.db import connection, transaction
from orjson import dumps, loads

from chat import publish
from chat.db import process, sql
from chat.db.lanes import was_committed
from chat.db.postgresql import OutcomeUnknown
from chat.errors import Internal
from chat.protocol import Error
from chat.turns import pieces
from chat.turns.batches import Batch
from chat.turns.live import LiveTurn

PAUSE = 12
"""A commit that computed for t is followed by the next no earlier than 12 t later: a thirteenth of
a core goes into commits, and a quiet server still relays at once. What it waited for (the
interpreter, a disk) counts once: others want to write too."""
LONGEST_PAUSE = 0.1
"""Seconds: a commit that computes for long once (the word index merges) is no reason to wait for 12
times as long."""
EXPLAIN_AFTER = 3.0
"""Seconds for which that is nobody's business."""


@dataclass(frozen=True)
class Verdict:
    """What a commit found."""

    cancelled: dict[int, bool]
    """For each turn that is still ours, whether its end was asked for."""
    pause: float
    """Seconds until the next commit."""


@dataclass
class Attempt:
    """A commit that may be tried again: PostgreSQL can go away before it says how one ended."""

    unknown: OutcomeUnknown | None = None
    """What the try before ended with, if it may have been committed."""
    cancelled: dict[int, bool] = field(default_factory=dict)
    explains_at: float = field(default_factory=lambda: monotonic() + EXPLAIN_AFTER)

    def explain(self, batches: Iterable[Batch], words: str) -> None:
        """Say once to those who wait why nothing comes, when it takes long."""
        if monotonic() >= self.explains_at:
            self.explains_at = inf
            text = f"{words} The answer goes on as soon as it can be stored."
            for batch in batches:
                publish.tell(batch.turn.conversation_id, Error(content=text, code=Internal.code))


def commit(batches: list[Batch], attempt: Attempt) -> Verdict:
    """One transaction for all of them; a turn that is no longer ours is left out."""
    with transaction.atomic():
        started, worked = perf_counter(), thread_time()  # without what another program held us up
        if connection.vendor == "postgresql":
            _hold_conversations([batch.turn for batch in batches if batch.is_last])
        cancelled = _ours([batch.turn.turn_id for batch in batches])
        if attempt.unknown and was_committed(attempt.unknown):
            return Verdict(attempt.cancelled, 0.0)
        attempt.cancelled = cancelled
        mine = [batch for batch in batches if batch.turn.turn_id in cancelled]
        pieces.append([batch for batch in mine if not batch.is_last])
        for batch in mine:
            for write_entry, seq in batch.writes:
                write_entry(seq)
    pause = max(perf_counter() - started, PAUSE * (thread_time() - worked))
    return Verdict(cancelled, min(pause, LONGEST_PAUSE))


# In one step, whatever their number: SQLite's driver gives the interpreter away at every row, and
# gets it back when the event loop is done with it.
_OURS = {
    "sqlite": """
        SELECT json_group_object(id, cancel_requested_at IS NOT NULL) FROM chat_turn
        WHERE process = %s AND status = 'running' AND id IN (SELECT value FROM json_each(%s))
    """,
    # the lock keeps a deletion from coming between this read and the writes
    "postgresql": """
        SELECT json_object_agg(id, asked)::text FROM (
            SELECT id, cancel_requested_at IS NOT NULL AS asked FROM chat_turn
            WHERE process = %s AND status = 'running'
                AND id IN (SELECT value::bigint FROM json_array_elements_text(%s::json))
            FOR NO KEY UPDATE
        ) AS ours
    """,
}


def _ours(turn_ids: list[int]) -> dict[int, bool]:
    """Those that this process still runs, and whether their end was asked for."""
    asked = dumps(turn_ids).decode()
    ((found,),) = sql.select(_OURS[connection.vendor], process.identity, asked)
    return {int(turn_id): bool(asked) for turn_id, asked in loads(found or "{}").items()}


def _hold_conversations(turns: Sequence[LiveTurn]) -> None:
    """Those that an end changes, before their turns: a deletion takes them in this order."""
    if turns:
        ids = dumps(sorted(str(turn.conversation_id) for turn in turns)).decode()
        sql.select(_HOLD, ids)


_HOLD = """
    SELECT id FROM chat_conversation
    WHERE id IN (SELECT value::uuid FROM json_array_elements_text(%s::json))
    ORDER BY id FOR NO KEY UPDATE
"""
