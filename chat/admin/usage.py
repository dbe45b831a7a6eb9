"""Usage by day, model and owner, over answers that have ended.

A few queries over the index of end times, each of at most `CHUNK` days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Sum, Value, When

from chat.admin.typed import midnight
from chat.models import Turn, shown

CHUNK = 31
"""Days per query."""


@dataclass(frozen=True)
class Usage:
    """The usage of a day, a model or an owner."""

    name: date | str
    answers: int = 0
    failed: int = 0
    read: int = 0
    """Tokens in."""
    written: int = 0
    """Tokens out."""
    cost: Decimal | None = None
    """US dollars; None if no price is known."""

    def __add__(self, other: Usage) -> Usage:
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(
            self.name,
            self.answers + other.answers,
            self.failed + other.failed,
            self.read + other.read,
            self.written + other.written,
            sum(costs, Decimal(0)) if costs else None,
        )

    @property
    def tokens(self) -> int:
        return self.read + self.written


@dataclass(frozen=True)
class Period:
    """A range of days, both ends included, optionally of one owner and one model."""

    first: date
    last: date
    owner: int | None = None
    model: str = ""

    @property
    def days(self) -> list[date]:
        """Latest first."""
        return [self.last - timedelta(age) for age in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Row:
    """The usage of one model by one owner on one day."""

    day: date
    model: str
    owner: str
    used: Usage


def rows(period: Period, *, by_owner: bool = True) -> Iterator[Row]:
    """Yield the usage, latest days first. Leaving out owners halves the time."""
    days = period.days
    for start in range(0, len(days), CHUNK):
        yield from _rows(days[start : start + CHUNK], period, by_owner)


def _rows(days: list[date], period: Period, by_owner: bool) -> Iterator[Row]:
    # Compare moments instead of dates, which each database would compute in its own way.
    ages = [When(ended_at__gte=midnight(day), then=Value(age)) for age, day in enumerate(days)]
    end = midnight(days[0] + timedelta(1))
    ended = shown(Turn.objects.filter(ended_at__gte=midnight(days[-1]), ended_at__lt=end))
    if period.owner is not None:
        ended = ended.filter(conversation__owner=period.owner)
    if period.model:
        ended = ended.filter(model=period.model)
    owner: Any = F("conversation__owner__username") if by_owner else Value("")
    found = ended.values_list(Case(*ages, output_field=IntegerField()), "model", owner).annotate(
        answers=Count("pk"),
        failed=Count("pk", filter=Q(status__in=Turn.FAULTY)),
        read=Sum("input_tokens"),
        written=Sum("output_tokens"),
        paid=Sum("cost"),
    )
    ordered = sorted(found, key=lambda row: (row[0], row[1], row[2]))
    for age, model, whose, answers, failed, read, written, cost in ordered:
        used = Usage("", answers, failed, read or 0, written or 0, cost)
        yield Row(days[age], model, whose, used)


@dataclass(frozen=True)
class Summary:
    """The usage grouped by day, model and owner."""

    days: list[Usage]
    """Latest first, including days without usage."""
    models: list[Usage]
    """The used models, most tokens first."""
    owners: list[Usage]
    total: Usage


def summary(period: Period, *, by_owner: bool = True) -> Summary:
    days: dict[date | str, Usage] = {day: Usage(day) for day in period.days}
    models: dict[date | str, Usage] = {}
    owners: dict[date | str, Usage] = {}
    total = Usage("Total")
    for row in rows(period, by_owner=by_owner):
        for groups, name in ((days, row.day), (models, row.model), (owners, row.owner)):
            groups[name] = groups.get(name, Usage(name)) + row.used
        total += row.used
    return Summary(list(days.values()), _most_first(models), _most_first(owners), total)


def _most_first(groups: dict[date | str, Usage]) -> list[Usage]:
    return sorted(groups.values(), key=lambda used: (used.tokens, used.answers), reverse=True)
