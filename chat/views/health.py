"""`GET /healthz`: do the parts that every turn needs answer?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.db.lanes import detail, until_free

SECONDS = 2.0
"""For all parts together: a probe must not wait for what hangs."""
FRESH = 1.0
"""Seconds for which one look is everybody's: a thousand probes are no more work than one."""
_WRITES = {
    # Always written, unlike a row that becomes what it was.
    "sqlite": "PRAGMA user_version = 0",
    # A row that every database has, and for which nobody waits.
    "postgresql": "UPDATE django_migrations SET name = name"
    " WHERE id = (SELECT min(id) FROM django_migrations)",
}
"""A commit that goes to the disk, changes nothing and makes nothing grow."""

logger = logging.getLogger(__name__)


@never_cache
@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the database can be read and written, and the channel layer answers; 503 names the
    part that does not.
    """
    global _latest
    loop = asyncio.get_running_loop()
    if _latest is None or _latest.is_old(loop):
        _latest = _Look(loop)
    if (failing := await _latest.failing()) is None:
        return JsonResponse({"status": "ok"})
    return JsonResponse({"status": "unavailable", "failing": failing}, status=503)


class _Look:
    """One look at the parts, for all who ask while it lasts and shortly after."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._began = loop.time()
        self._at = ""
        """The part that is being looked at."""
        self._task = loop.create_task(self._probe())

    def is_old(self, loop: asyncio.AbstractEventLoop) -> bool:
        """One that hangs is not: another one would only hang behind it."""
        if self._loop is not loop:
            return True
        return self._task.done() and loop.time() - self._began > FRESH

    async def failing(self) -> str | None:
        """The part that does not answer, or not in time; None: all is well."""
        try:
            async with asyncio.timeout_at(self._began + SECONDS):
                return await asyncio.shield(self._task)
        except TimeoutError:
            logger.error("healthz: the %s does not answer in time", self._at)
            return self._at

    async def _probe(self) -> str | None:
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "database": _database,
            "channel layer": _channel_layer,
        }
        for self._at, answers in parts.items():
            try:
                await answers()
            except Exception as error:
                # Only the log has the reason: it may say more than a stranger should read.
                logger.error("healthz: the %s does not answer (%s)", self._at, detail(error))
                return self._at
        return None


_latest: _Look | None = None


@sync_to_async
def _database() -> None:
    until_free(monotonic() + SECONDS, _write)


def _write() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WRITES[connection.vendor])


async def _channel_layer() -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "healthz"})
    await layer.receive(channel)
