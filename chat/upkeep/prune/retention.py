"""`TALOS_RETENTION_DAYS`: deleting old conversations automatically, except pinned ones.

The server does this once a day, in the same short batches as `prune_history`. Of several servers,
only the one that creates the day's audit row does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from chat.db.lanes import read, write
from chat.models import Audit
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Rules
from chat.upkeep.prune.space import Space

log = logging.getLogger(__name__)

EVERY = timedelta(hours=23)
"""Checked every hour: 23 hours make it once a day, at about the same time."""
_LOCK = 7_410_321
"""The number of our PostgreSQL advisory lock; any that nobody else uses."""


async def run() -> None:
    """Delete conversations older than the setting allows, unless this was done today."""
    if settings.TALOS_RETENTION_DAYS is None:
        return
    rules = Rules(older_than=timedelta(settings.TALOS_RETENTION_DAYS), keep_pinned=True)
    if not await read(_has_work, rules):
        return
    audit = await write(_claim, f"{rules}: started.")
    if audit is None:
        return
    await _run(Prune(rules, audit).step)
    await _run(Space().step)
    log.info("Retention: %s", audit.summary)


async def _run(step: Callable[[], float | None]) -> None:
    """Run all steps, with other writes between them."""
    while True:
        pause = await write(step)
        if pause is None:
            return
        await asyncio.sleep(pause)


def _has_work(rules: Rules) -> bool:
    return any(share.conversations().exists() for share in rules.shares())


@transaction.atomic
def _claim(summary: str) -> Audit | None:
    """Create the day's audit row. Return None if there is one already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    mine = Audit(action="prune", source=Audit.Source.RETENTION, summary=summary)
    since = timezone.now() - EVERY
    if Audit.objects.filter(created_at__gt=since, action=mine.action, source=mine.source).exists():
        return None
    mine.save()
    return mine
