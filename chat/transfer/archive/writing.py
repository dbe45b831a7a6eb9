"""Conversations written one after the other, in bounded memory.

A batch of conversations is read in one snapshot into a spool, and given away only when that
snapshot is over: a reader who is slow, or does not read on at all, holds nothing up in the database.
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
"""A batch that is longer waits on the disk."""
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Written:
    """One conversation in a spool, to be read before the next one is asked for."""

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
    """Each conversation by itself, in order. What is deleted meanwhile is left out."""
    for batch in ids.batches():
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            written = _spooled(batch, encoder, spool)
            spool.seek(0)
            yield from written


def _spooled(batch: list[UUID], encoder: Encoder, spool: IO[bytes]) -> list[Written]:
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
    """All of them in one stream; with each chunk how many conversations are done before it."""
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
