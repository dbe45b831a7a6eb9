"""A chart of days, as shapes for an SVG: no script, and no style but the sheet's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chat.admin.usage import Usage

WIDTH, HEIGHT = 720, 160
"""Of the bars, in the SVG's own units."""
GAP = 0.2
"""Of a day's width, between two bars."""


@dataclass(frozen=True)
class Bar:
    """Tokens of a day: what was written stands on what was read."""

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
    """Tokens of the busiest day, which is as high as the chart."""
    busiest: Usage | None
    """None: nothing was used."""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def first(self) -> date | str:
        return self.bars[0].day.name

    @property
    def last(self) -> date | str:
        return self.bars[-1].day.name


def chart(days: Sequence[Usage]) -> Chart:
    """Of days, latest first; there is at least one."""
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
