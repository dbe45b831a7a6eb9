"""Writing conversations one after another, in bounded memory.

A batch is read into a spool within one snapshot and handed out after it: a slow reader, or one that
stops reading, keeps no snapshot open in the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import UUID

from chat.db.lanes import one_snapshot
from chat.transfer.archive import rows
from chat.transfer.archive.encoders import Encoder
from chat.transfer.selection import Ids

SPOOL_BYTES = 8 * 1024 * 1024
"""A longer batch is kept on disk."""
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Written:
    """One conversation in a spool, to be read before the next one."""

    id: UUID
    title: str
    created_at: datetime
    size: int
    spool: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        left = self.size
        while left:
            chunk = self.spool.read(min(left, CHUNK_BYTES))
            left -= len(chunk)
            yield chunk


def conversations(ids: Ids, encoder: Encoder) -> Iterator[Written]:
    """Yield each conversation in order, skipping those deleted meanwhile."""
    for batch in ids.batches():
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            written = _spool(batch, encoder, spool)
            spool.seek(0)
            yield from written


def _spool(batch: list[UUID], encoder: Encoder, spool: IO[bytes]) -> list[Written]:
    written = []
    with one_snapshot():
        for stored in rows.conversations(batch):
            begin = spool.tell()
            for part in encoder.encode(stored):
                spool.write(part)
            head = stored.head
            size = spool.tell() - begin
            written.append(Written(head["id"], head["title"], head["created_at"], size, spool))
    return written


def together(ids: Ids, encoder: Encoder) -> Iterator[tuple[int, bytes]]:
    """Yield one stream of chunks, each with the number of conversations completed before it."""
    yield 0, encoder.begin
    done = 0
    for written in conversations(ids, encoder):
        if done:
            yield done, encoder.between
        for chunk in written.chunks():
            yield done, chunk
        done += 1
    if done or encoder.begin:
        yield done, encoder.end
