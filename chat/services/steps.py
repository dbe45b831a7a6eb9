"""Large writes in short transactions, with gaps between them for other writers.

The work is a generator that yields every few milliseconds, wherever a transaction may end. What it
has written by then must be fit to be seen, or hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from time import perf_counter, sleep, thread_time
from typing import TypeVar

from django.db import transaction

HOLD = 0.02
"""Seconds of CPU after which a step ends; its commit comes on top."""
LONGEST = 0.05
"""Wall-clock seconds after which a step ends, on a slow disk or a busy machine."""
SHORTEST_PAUSE = 0.02
"""The shortest pause between two steps, in seconds; a longer step pauses as long as it computed. A
server that waits for SQLite's lock tries more often than that."""

ROWS = 50
"""The most rows one statement writes or deletes: a few milliseconds."""
SIZE = 64 * 1024
"""The most characters in those rows."""
T = TypeVar("T")
Work = Generator[None]


def step(work: Work) -> float | None:
    """Do some work in one transaction. Return the seconds until the next step, or None when done."""
    with transaction.atomic():
        started, used = perf_counter(), thread_time()  # the lock is held from here on
        while thread_time() - used < HOLD and perf_counter() - started < LONGEST:
            try:
                next(work)
            except StopIteration:
                return None
    return max(SHORTEST_PAUSE, thread_time() - used)


def finish(work: Work) -> None:
    """Do all of the work in this thread."""
    while (pause := step(work)) is not None:
        sleep(pause)


def by_size(rows: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Group rows so that each group takes a few milliseconds; a large row is alone."""
    some: list[T] = []
    total = 0
    for row in rows:
        total += size(row)
        if some and (len(some) == ROWS or total > SIZE):
            yield some
            some, total = [], size(row)
        some.append(row)
    if some:
        yield some
