"""The start page: running answers, waiting calls, failures and usage.

A few queries, each over an index and over few rows or the turns of the last two weeks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from chat.admin.chart import Chart, chart
from chat.admin.usage import Period, Usage, summary
from chat.models import Audit, ToolCall, Turn, shown
from chat.upkeep.prune.space import size

SHOWN = 10
"""Rows shown of each kind; the lists have the rest."""
DAYS = 14
MODELS = 20


@dataclass(frozen=True)
class Overview:
    running: list[Turn]
    queued: int
    waiting: list[ToolCall]
    waiting_in_all: int
    failed: list[Turn]
    days: list[Usage]
    """The last `DAYS` days, latest first."""
    models: list[Usage]
    """The used models, most tokens first."""
    chart: Chart
    size: int
    """Size of the database in bytes."""
    records: list[Audit]
    """The latest actions on many conversations at once."""
    backup: datetime | None
    """Time of the last backup."""
    retention_days: int | None = field(default_factory=lambda: settings.TALOS_RETENTION_DAYS)


def overview() -> Overview:
    unfinished = Turn.objects.unfinished().select_related("conversation__owner")
    pending = ToolCall.objects.pending().select_related("message__conversation__owner")
    failed = shown(Turn.objects.failed()).filter(ended_at__isnull=False).order_by("-ended_at")
    backups = Audit.objects.filter(action__in=("backup", "restore")).order_by("-pk")
    today = timezone.localdate()
    used = summary(Period(today - timedelta(DAYS - 1), today), by_owner=False)
    return Overview(
        running=list(unfinished.filter(status=Turn.Status.RUNNING).order_by("pk")[:SHOWN]),
        queued=Turn.objects.queued().count(),
        waiting=list(pending[:SHOWN]),
        waiting_in_all=pending.count(),
        failed=list(failed.select_related("conversation__owner")[:SHOWN]),
        days=used.days,
        models=used.models[:MODELS],
        chart=chart(used.days),
        size=size(),
        records=list(Audit.objects.select_related("by").order_by("-pk")[:5]),
        backup=backups.values_list("created_at", flat=True).first(),
    )
