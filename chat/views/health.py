"""`GET /healthz`: whether the parts that every turn needs respond."""

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
"""Time limit for all parts together: a probe must not wait for one that hangs."""
FRESH = 1.0
"""Seconds for which probes share one check: a thousand cost no more than one."""
_WRITES = {
    # Always written, unlike a row updated to the value it has.
    "sqlite": "PRAGMA user_version = 0",
    # A row that every database has, and that nothing else locks.
    "postgresql": "UPDATE django_migrations SET name = name"
    " WHERE id = (SELECT min(id) FROM django_migrations)",
}
"""A commit that reaches the disk, changes nothing and lets nothing grow."""

logger = logging.getLogger(__name__)


@never_cache
@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:
    """Check that the database can be read and written, and that the channel layer responds; 503 names
    the part that does not.
    """
    global _latest
    loop = asyncio.get_running_loop()
    if _latest is None or _latest.is_old(loop):
        _latest = _Check(loop)
    if (failing := await _latest.failing()) is None:
        return JsonResponse({"status": "ok"})
    return JsonResponse({"status": "unavailable", "failing": failing}, status=503)


class _Check:
    """One check of the parts, shared by all requests during it and shortly after."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._began = loop.time()
        self._at = ""
        """The part being checked."""
        self._task = loop.create_task(self._probe())

    def is_old(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a new check is due. Not while one hangs: another would hang behind it."""
        if self._loop is not loop:
            return True
        return self._task.done() and loop.time() - self._began > FRESH

    async def failing(self) -> str | None:
        """The part that does not respond in time; None if all do."""
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
        for self._at, probe in parts.items():
            try:
                await probe()
            except Exception as error:
                # Only the log has the reason: a stranger must not read it.
                logger.error("healthz: the %s does not answer (%s)", self._at, detail(error))
                return self._at
        return None


_latest: _Check | None = None


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
