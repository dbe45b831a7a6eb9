"""The start page: what is running, what waits, what failed, how much was used.

Some queries, each over an index and over few rows or the last two weeks' turns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, Count, IntegerField, Q, Sum, Value, When
from django.utils import timezone

from chat.models import Audit, ToolCall, Turn, shown
from chat.prune.space import size

SHOWN = 10
"""Rows of each kind; the lists have the rest."""
DAYS = 14
MODELS = 20


@dataclass(frozen=True)
class Usage:
    """Of a day, or of a model."""

    name: date | str
    answers: int = 0
    failed: int = 0
    read: int = 0
    """Tokens that models were given."""
    written: int = 0
    """Tokens that they wrote."""
    cost: Decimal | None = None

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
class Overview:
    running: list[Turn]
    queued: int
    waiting: list[ToolCall]
    waiting_in_all: int
    failed: list[Turn]
    days: list[Usage]
    """Latest first, each of the last `DAYS`."""
    models: list[Usage]
    """Those that were used, most first."""
    most: int
    """Tokens of the busiest day."""
    size: int
    """Bytes of the database."""
    records: list[Audit]
    """What was done last to many conversations at once."""
    backup: datetime | None
    """When the last one was made."""
    retention_days: int | None = field(default_factory=lambda: settings.TALOS_RETENTION_DAYS)


def overview() -> Overview:
    unfinished = Turn.objects.unfinished().select_related("conversation__owner")
    pending = ToolCall.objects.pending().select_related("message__conversation__owner")
    failed = shown(Turn.objects.failed())
    backups = Audit.objects.filter(action__in=("backup", "restore")).order_by("-pk")
    days, models = usage()
    return Overview(
        running=list(unfinished.filter(status=Turn.Status.RUNNING).order_by("pk")[:SHOWN]),
        queued=Turn.objects.queued().count(),
        waiting=list(pending[:SHOWN]),
        waiting_in_all=pending.count(),
        failed=list(failed.select_related("conversation__owner").order_by("-pk")[:SHOWN]),
        days=days,
        models=models[:MODELS],
        most=max(day.tokens for day in days),
        size=size(),
        records=list(Audit.objects.select_related("by").order_by("-pk")[:5]),
        backup=backups.values_list("created_at", flat=True).first(),
    )


def usage() -> tuple[list[Usage], list[Usage]]:
    """By day and by model, out of one query."""
    starts = list(_starts())
    # What lies between two moments, and not what the date is: that a database works out itself.
    ages = [When(ended_at__gte=start, then=Value(age)) for age, start in enumerate(starts)]
    ended = shown(Turn.objects.filter(ended_at__gte=starts[-1]))
    rows = ended.values_list(Case(*ages, output_field=IntegerField()), "model").annotate(
        answers=Count("pk"),
        failed=Count("pk", filter=Q(status__in=Turn.FAULTY)),
        read=Sum("input_tokens"),
        written=Sum("output_tokens"),
        paid=Sum("cost"),
    )
    days = [Usage(start.date()) for start in starts]
    models: dict[str, Usage] = {}
    for age, model, answers, failed, read, written, cost in rows:
        used = Usage(model, answers, failed, read or 0, written or 0, cost)
        days[age] += used
        models[model] = models.get(model, Usage(model)) + used
    return days, sorted(models.values(), key=lambda used: used.tokens, reverse=True)


def _starts() -> Iterable[datetime]:
    """The midnights at which the last `DAYS` began, latest first."""
    today = timezone.localdate()
    zone = timezone.get_current_timezone()
    for age in range(DAYS):
        day = today - timedelta(age)
        yield datetime(day.year, day.month, day.day, tzinfo=zone)
