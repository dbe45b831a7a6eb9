"""The transaction of a tick: it stores the new output of all turns and reads their state."""

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
"""After a commit that computed for t, the next starts no earlier than 12 t later: commits take a
thirteenth of a core, and a quiet server still relays at once. Time spent waiting (for the
interpreter, a disk) counts once: others want to write too."""
LONGEST_PAUSE = 0.1
"""Seconds: one long commit (the word index merges) is no reason to wait 12 times as long."""
EXPLAIN_AFTER = 3.0
"""Seconds before clients are told of the delay."""


@dataclass(frozen=True)
class Verdict:
    """The result of a commit."""

    cancelled: dict[int, bool]
    """For each turn that is still ours, whether a stop was requested."""
    pause: float
    """Seconds until the next commit."""


@dataclass
class Attempt:
    """A commit that may be retried: PostgreSQL can go away before it says how one ended."""

    unknown: OutcomeUnknown | None = None
    """The error of the last try, if that may have been committed."""
    cancelled: dict[int, bool] = field(default_factory=dict)
    explains_at: float = field(default_factory=lambda: monotonic() + EXPLAIN_AFTER)

    def explain(self, batches: Iterable[Batch], reason: str) -> None:
        """Tell clients once why nothing arrives, if it takes long."""
        if monotonic() >= self.explains_at:
            self.explains_at = inf
            text = f"{reason} The answer continues as soon as it can be stored."
            for batch in batches:
                publish.tell(batch.turn.conversation_id, Error(content=text, code=Internal.code))


def commit(batches: list[Batch], attempt: Attempt) -> Verdict:
    """Commit all batches in one transaction, except those of turns that are no longer ours."""
    with transaction.atomic():
        started, worked = (
            perf_counter(),
            thread_time(),
        )  # without time spent waiting for another program
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


# One row, whatever the number of turns: SQLite's driver releases the interpreter lock at every row,
# and gets it back only when the event loop is done with it.
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
    """The turns that this process still runs, and whether a stop was requested."""
    asked = dumps(turn_ids).decode()
    ((found,),) = sql.select(_OURS[connection.vendor], process.identity, asked)
    return {int(turn_id): bool(asked) for turn_id, asked in loads(found or "{}").items()}


def _hold_conversations(turns: Sequence[LiveTurn]) -> None:
    """Lock the conversations of turns that end, before the turns: a deletion uses this order."""
    if turns:
        ids = dumps(sorted(str(turn.conversation_id) for turn in turns)).decode()
        sql.select(_HOLD, ids)


_HOLD = """
    SELECT id FROM chat_conversation
    WHERE id IN (SELECT value::uuid FROM json_array_elements_text(%s::json))
    ORDER BY id FOR NO KEY UPDATE
"""
