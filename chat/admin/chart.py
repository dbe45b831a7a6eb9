"""A chart of days as SVG shapes, without scripts or inline styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chat.admin.usage import Usage

WIDTH, HEIGHT = 720, 160
"""Size of the chart in SVG units."""
GAP = 0.2
"""The gap between two bars, as a fraction of a day's width."""


@dataclass(frozen=True)
class Bar:
    """The tokens of a day: output stacked on input."""

    day: Usage
    x: float
    width: float
    read: float
    """Height of the tokens in."""
    written: float
    """Height of the tokens out."""

    @property
    def read_top(self) -> float:
        return round(HEIGHT - self.read, 2)

    @property
    def written_top(self) -> float:
        return round(HEIGHT - self.read - self.written, 2)


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    """Oldest first."""
    most: int
    """Tokens of the busiest day, whose bar has the height of the chart."""
    busiest: Usage | None
    """None if there was no usage."""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def first(self) -> date | str:
        return self.bars[0].day.name

    @property
    def last(self) -> date | str:
        return self.bars[-1].day.name


def chart(days: Sequence[Usage]) -> Chart:
    """Chart days, given latest first; at least one."""
    busiest = max(days, key=lambda day: day.tokens)
    most = busiest.tokens
    step = WIDTH / len(days)
    bars = [
        Bar(
            day,
            x=round((number + GAP / 2) * step, 2),
            width=round((1 - GAP) * step, 2),
            read=round(HEIGHT * day.read / (most or 1), 2),
            written=round(HEIGHT * day.written / (most or 1), 2),
        )
        for number, day in enumerate(reversed(days))
    ]
    return Chart(bars, most, busiest if most else None)
