"""The pieces of live turns: one row for each turn and tick, now and then merged.

A commit writes the page of every turn's last index entry, and an answer's end deletes its rows. A
few seconds of an answer would make hundreds of rows, on pages of their own; merged, they are few.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from orjson import dumps

from chat.db import sql
from chat.turns.batches import Batch

MERGE_AT = 8
"""Merge a turn's rows once it has this many."""

# One step each, whatever the number of rows: see `commits.py`.
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
    """Store the new pieces of turns that continue. Inside the journal's transaction."""
    rows = [(b.turn.turn_id, b.last_seq, b.reasoning, b.thought) for b in batches if b.reasoning]
    numbered = [batch for batch in batches if batch.is_numbered]
    rows += [(b.turn.turn_id, b.last_seq, _text(b), 0) for b in numbered]
    joined = [
        (b.turn.turn_id, b.turn.rows[0][0], b.turn.rows[-1][0]) for b in numbered if _merges(b)
    ]
    if joined:
        sql.change(_DROP[connection.vendor], dumps(joined).decode())
    if rows:
        sql.change(_APPEND[connection.vendor], dumps(rows).decode())


def note_committed(batch: Batch) -> None:
    """Note the row that a batch has stored. On the event loop."""
    if _merges(batch):
        batch.turn.rows = []
    elif batch.is_numbered:
        batch.turn.rows.append((batch.last_seq, batch.text))


def _merges(batch: Batch) -> bool:
    return batch.is_numbered and len(batch.turn.rows) >= MERGE_AT


def _text(batch: Batch) -> str:
    if not _merges(batch):
        return batch.text
    return "".join([text for _, text in batch.turn.rows]) + batch.text
