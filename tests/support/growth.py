"""Checking that work grows in proportion to its input, measured in CPU time.

A busy machine stretches wall-clock time but hardly CPU time. Each figure is the least of a few tries.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import thread_time

COUNTED = 0.02
"""Seconds; shorter work is not judged."""
STEP = 4
"""The factor by which the input grows each time."""
MOST = 9.0
"""The factor by which the time may grow. Four is linear, sixteen quadratic."""
ENOUGH = 1.0
"""Seconds after which nothing larger is tried. Quadratic copying shows only late."""
MOST_TRIES = 20
"""A suspicion is checked for two seconds or so many tries: other virtual machines on the same
processor slow it down for a tenth of a second at a time."""

Prepare = Callable[[int], Callable[[], object]]
"""The work on an input of a given size. Making the input does not count."""


@dataclass(frozen=True)
class Growth:
    """Work that took too long."""

    size: int
    seconds: float
    before: float
    """The seconds for a quarter of that size."""

    def __str__(self) -> str:
        took = f"size {self.size:,} took {self.seconds * 1000:.0f} ms"
        return f"{took}, a quarter of it {self.before * 1000:.0f} ms"


def cpu_seconds(work: Callable[[], object], tries: int = 1) -> float:
    """Measure the CPU seconds of this thread. An error of the work ends it."""
    return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    gc.disable()  # the work is not to blame for other objects in memory,
    traced = sys.gettrace()
    sys.settrace(None)  # nor for coverage, which doubles the cost of small functions
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
            tries = min(MOST_TRIES, max(1, int(2 * ENOUGH / before)))
            before, last = (cpu_seconds(prepare(each), tries) for each in (size, size // STEP))
            if _is_too_long(before, last, longest):
                return Growth(size, before, last)
    return None


def _is_too_long(seconds: float, before: float, longest: float) -> bool:
    return seconds > min(max(COUNTED, MOST * before), longest)
