"""`TALOS_RETENTION_DAYS`: old conversations go by themselves, pinned ones stay.

Once a day, in the server, in the same short batches as `prune_history`; of several servers exactly
one does it, the one that made the day's audit row.
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
"""Asked for every hour: so it is once a day, and does not wander through the day."""
_LOCK = 7_410_321
"""Of PostgreSQL's advisory locks; any number that nobody else uses."""


async def keep() -> None:
    """Delete what is older than the setting allows, if this is the day's first look."""
    if settings.TALOS_RETENTION_DAYS is None:
        return
    rules = Rules(older_than=timedelta(settings.TALOS_RETENTION_DAYS), keep_pinned=True)
    if not await read(_has_work, rules):
        return
    audit = await write(_claim, f"{rules}: begun.")
    if audit is None:
        return
    await _all(Prune(rules, audit).step)
    await _all(Space().step)
    log.info("Retention: %s", audit.summary)


async def _all(step: Callable[[], float | None]) -> None:
    """Steps, with other writes between them."""
    while True:
        pause = await write(step)
        if pause is None:
            return
        await asyncio.sleep(pause)


def _has_work(rules: Rules) -> bool:
    return any(share.conversations().exists() for share in rules.shares())


@transaction.atomic
def _claim(summary: str) -> Audit | None:
    """The day's audit row, made here; None: there is one already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    mine = Audit(action="prune", source=Audit.Source.RETENTION, summary=summary)
    since = timezone.now() - EVERY
    if Audit.objects.filter(created_at__gt=since, action=mine.action, source=mine.source).exists():
        return None
    mine.save()
    return mine
