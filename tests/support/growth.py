"""Whether work grows with its input as it may: in proportion. Of processor time, never of a clock's.

A busy machine stretches a clock's seconds, and these hardly. Each is the least of a few tries.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import thread_time

COUNTED = 0.02
"""Seconds: what takes less is not looked at."""
STEP = 4
"""Times as much each time."""
MOST = 9.0
"""Times as long that may take. Four is in proportion, sixteen a square."""
ENOUGH = 1.0
"""Seconds, after which nothing larger is tried. A square of copies shows itself late."""

Prepare = Callable[[int], Callable[[], object]]
"""What is to be done with an input of a size. Making the input does not count."""


@dataclass(frozen=True)
class Growth:
    """Work that took longer than it may."""

    size: int
    seconds: float
    before: float
    """What a quarter of that size took."""

    def __str__(self) -> str:
        took = f"size {self.size:,} took {self.seconds * 1000:.0f} ms"
        return f"{took}, a quarter of it {self.before * 1000:.0f} ms"


def cpu_seconds(work: Callable[[], object], tries: int = 1) -> float:
    """Of this thread. Errors of the work are its own: it ends with them."""
    return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    gc.disable()  # how much else there is in memory is not the work's fault,
    traced = sys.gettrace()
    sys.settrace(None)  # nor is coverage, which doubles the cost of small functions
    try:
        begun = thread_time()
        work()
        return thread_time() - begun
    finally:
        sys.settrace(traced)
        gc.enable()


def excess(prepare: Prepare, *, least: int, most: int, longest: float = inf) -> Growth | None:
    """Where work grows by more than its input, or takes longer than so many seconds.

    None: nowhere between these sizes.
    """
    size, before = least, cpu_seconds(prepare(least))
    while size * STEP <= most and before < ENOUGH:
        size, last = size * STEP, before
        before = cpu_seconds(prepare(size))
        if _is_too_long(before, last, longest):  # noise, perhaps
            tries = 3 if before < ENOUGH else 1
            before, last = (cpu_seconds(prepare(each), tries) for each in (size, size // STEP))
            if _is_too_long(before, last, longest):
                return Growth(size, before, last)
    return None


def _is_too_long(seconds: float, before: float, longest: float) -> bool:
    return seconds > min(max(COUNTED, MOST * before), longest)
