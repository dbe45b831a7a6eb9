"""Much to write, in short transactions with gaps between them: others are let in.

The work is a generator that comes to a `yield` after every few milliseconds, wherever a transaction
may end. What it has done by then must be fit to be seen, or be hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from time import perf_counter, sleep, thread_time
from typing import TypeVar

from django.db import transaction

HOLD = 0.02
"""Seconds of CPU after which a step ends; its commit comes on top."""
LONGEST = 0.05
"""Seconds after which it ends on a slow disk or a busy machine, too."""
SHORTEST_PAUSE = 0.02
"""Seconds until the next step, or as long as the step has computed: who waits for SQLite's lock in
the server looks for it more often than that."""

ROWS = 50
"""Written or deleted by one statement: a few milliseconds."""
SIZE = 64 * 1024
"""Characters of them."""
T = TypeVar("T")
Work = Generator[None]


def step(work: Work) -> float | None:
    """Some of the work, in one transaction; the seconds until the next step. None: it is done."""
    with transaction.atomic():
        started, used = perf_counter(), thread_time()  # the lock is held from here on
        while thread_time() - used < HOLD and perf_counter() - started < LONGEST:
            try:
                next(work)
            except StopIteration:
                return None
    return max(SHORTEST_PAUSE, thread_time() - used)


def finish(work: Work) -> None:
    """All of the work, in this thread."""
    while (pause := step(work)) is not None:
        sleep(pause)


def by_size(rows: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """As many rows as take a few milliseconds; what is large is alone."""
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
