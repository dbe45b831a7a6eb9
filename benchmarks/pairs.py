"""Two checkouts measured in turn: the pairs, the ratio's interval, and the table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import comb
from statistics import median

from benchmarks import table
from benchmarks.experiments import Experiment
from benchmarks.figures import Figures
from benchmarks.stands import Stand

CONFIDENCE = 0.95
HEADS = ("experiment", "figure", "ours", "base", "ratio", "95 % interval", "pairs")
Pair = tuple[Figures, Figures]
"""Our figures, and those of base."""


def measure(experiment: Experiment, ours: Stand, base: Stand, pairs: int) -> list[Pair]:
    """Measure pairs, after a warm-up one. The side that goes first alternates.

    Each measurement has its own new server. Two processes of one program may differ for as long as
    they live, in memory layout and string hashes. Pairs of the same two processes would all carry
    that difference, and it would be attributed to the code.
    """
    found = []
    for number in range(pairs + 1):
        if number % 2:
            mine, other = _once(experiment, ours), _once(experiment, base)
        else:
            other, mine = _once(experiment, base), _once(experiment, ours)
        pair = (mine, other)
        note = f"{experiment.name}, pair {number} of {pairs}:" if number else "Warm-up:"
        print(note, *pair, file=sys.stderr, flush=True)
        found += [pair] if number else []
    return found


def _once(experiment: Experiment, stand: Stand) -> Figures:
    with stand:
        return experiment.measure(stand)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return a 95 % confidence interval for the median of the values' distribution.

    It is distribution-free, by the sign test: the k-th smallest and the k-th largest of n values,
    with the greatest k for which 1 - 2 P(B < k) is at least 0.95, B binomial of n and 1/2. With 10
    values these are the 2nd and the 9th (97.9 %), with 20 the 6th and the 15th (95.9 %). W. R.
    Thompson, "On Confidence Ranges for the Median", Annals of Mathematical Statistics 7 (1936),
    122-128. Fewer than 6 values have no such interval: `ValueError`.
    """
    number, rank, outside = len(values), 0, 0.0
    while (outside := outside + 2 * comb(number, rank) / 2**number) <= 1 - CONFIDENCE:
        rank += 1
    if rank == 0:
        raise ValueError(f"{number} values have no interval of {CONFIDENCE:.0%}.")
    ordered = sorted(values)
    return ordered[rank - 1], ordered[-rank]


def render(results: dict[str, list[Pair]]) -> str:
    """Return the table of all experiments, in Markdown."""
    rows = [
        _row(experiment, figure, pairs)
        for experiment, pairs in results.items()
        for figure in pairs[0][0]
    ]
    return table.markdown(HEADS, rows)


def _row(experiment: str, figure: str, pairs: Sequence[Pair]) -> tuple[str, ...]:
    ours, base = ([pair[side][figure] for pair in pairs] for side in (0, 1))
    unit = table.unit(experiment, figure)
    amounts = (table.amount(median(ours), unit), table.amount(median(base), unit))
    ratio = bounds = ""
    if min(*ours, *base) > 0:  # a figure that may be zero, such as failures, has no ratio
        ratios = [a / b for a, b in zip(ours, base, strict=True)]
        ratio, bounds = f"{median(ratios):.3f}", "{:.3f} to {:.3f}".format(*interval(ratios))
    return (experiment, figure, *amounts, ratio, bounds, str(len(pairs)))
