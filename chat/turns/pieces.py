"""The rows of what live turns write: one for each turn at each tick, and now and then one of many.

A commit writes the page of every turn's last index entry, and an answer's end deletes its rows. An
answer of some seconds would be hundreds of them, on pages of its own; joined they are few.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from orjson import dumps

from chat.db import sql
from chat.turns.batches import Batch

JOINED = 8
"""So many rows of a turn's text become one, with the next."""

# One step each, whatever their number of rows: see `commits.py`.
_APPEND = {
    "sqlite": """
        INSERT INTO chat_piece (turn_id, seq, text, thought)
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
            json_extract(value, '$[2]'), json_extract(value, '$[3]')
        FROM json_each(%s)
    """,
    "postgresql": """
        INSERT INTO chat_piece (turn_id, seq, text, thought)
        SELECT (piece->>0)::bigint, (piece->>1)::bigint, piece->>2, (piece->>3)::bigint
        FROM json_array_elements(%s::json) AS piece
    """,
}
_DROP = {
    "sqlite": """
        DELETE FROM chat_piece WHERE id IN (
            SELECT piece.id FROM json_each(%s) AS joined
            CROSS JOIN chat_piece piece ON piece.turn_id = json_extract(joined.value, '$[0]')
                AND piece.seq BETWEEN json_extract(joined.value, '$[1]')
                    AND json_extract(joined.value, '$[2]')
                AND piece.thought = 0
        )
    """,
    "postgresql": """
        DELETE FROM chat_piece USING json_array_elements(%s::json) AS joined
        WHERE turn_id = (joined->>0)::bigint AND thought = 0
            AND seq BETWEEN (joined->>1)::bigint AND (joined->>2)::bigint
    """,
}


def append(batches: Sequence[Batch]) -> None:
    """Store what is new of turns that go on. Inside the journal's transaction."""
    rows = [(b.turn.turn_id, b.last_seq, b.reasoning, b.thought) for b in batches if b.reasoning]
    numbered = [batch for batch in batches if batch.is_numbered]
    rows += [(b.turn.turn_id, b.last_seq, _text(b), 0) for b in numbered]
    joined = [
        (b.turn.turn_id, b.turn.rows[0][0], b.turn.rows[-1][0]) for b in numbered if _joins(b)
    ]
    if joined:
        sql.change(_DROP[connection.vendor], dumps(joined).decode())
    if rows:
        sql.change(_APPEND[connection.vendor], dumps(rows).decode())


def appended(batch: Batch) -> None:
    """It is committed: from now on its row is one of its turn's. On the event loop."""
    if _joins(batch):
        batch.turn.rows = []
    elif batch.is_numbered:
        batch.turn.rows.append((batch.last_seq, batch.text))


def _joins(batch: Batch) -> bool:
    return batch.is_numbered and len(batch.turn.rows) >= JOINED


def _text(batch: Batch) -> str:
    if not _joins(batch):
        return batch.text
    return "".join([text for _, text in batch.turn.rows]) + batch.text
