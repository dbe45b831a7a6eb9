"""Whether work grows with its input as it may: in proportion. Of processor time, never of a clock's.

A busy machine stretches a clock's seconds, and these hardly. Each is the least of a few tries.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from time import thread_time

COUNTED = 0.02
"""Seconds: what takes less is not looked at."""
MOST = 3.0
"""Times as long an input of twice the size may take. Twice is in proportion, four times a square."""
ENOUGH = 0.15
"""Seconds: a square has shown itself by then."""

Prepare = Callable[[int], Callable[[], object]]
"""What is to be done with an input of a size. Making the input does not count."""


@dataclass(frozen=True)
class Growth:
    """Inputs of a size, of twice and of four times as much, that took ever longer."""

    size: int
    seconds: tuple[float, ...]

    def __str__(self) -> str:
        took = ", ".join(f"{second * 1000:.0f} ms" for second in self.seconds)
        return f"size {self.size:,}, then twice and four times as much: {took}"


def cpu_seconds(work: Callable[[], object], tries: int = 1) -> float:
    """Of this thread. Errors of the work are its own: it ends with them."""
    return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    gc.disable()  # how much else there is in memory is not the work's fault
    try:
        begun = thread_time()
        work()
        return thread_time() - begun
    finally:
        gc.enable()


def excess(prepare: Prepare, *, least: int, most: int) -> Growth | None:
    """Where work grows by more than its input. None: nowhere between these sizes.

    Two doublings in a row have to show it: one may be a step that is climbed once.
    """
    size, before = least, cpu_seconds(prepare(least))
    while size * 2 <= most and before < ENOUGH:
        size, last = size * 2, before
        before = cpu_seconds(prepare(size))
        if before > max(COUNTED, MOST * last) and (found := _confirmed(prepare, size // 2, most)):
            return found
    return None


def _confirmed(prepare: Prepare, size: int, most: int) -> Growth | None:
    sizes = [each for each in (size, size * 2, size * 4) if each <= most]
    seconds = tuple(cpu_seconds(prepare(each), tries=3) for each in sizes)
    grows = all(b > max(COUNTED, MOST * a) for a, b in pairwise(seconds))
    return Growth(size, seconds) if grows else None
