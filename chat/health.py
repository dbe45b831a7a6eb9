"""`GET /healthz`: do the parts that every turn needs answer?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

SECONDS = 2.0
"""For all parts together: a probe must not wait for what hangs."""

logger = logging.getLogger(__name__)


@never_cache
@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the database and the channel layer answer; 503 names the part that does not."""
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "database": _database,
        "channel layer": _channel_layer,
    }
    deadline = asyncio.get_running_loop().time() + SECONDS
    for name, answers in parts.items():
        try:
            async with asyncio.timeout_at(deadline):
                await answers()
        except Exception as error:
            # Only the kind: a driver's text may say more than a stranger should read.
            logger.error("healthz: the %s does not answer (%s)", name, type(error).__name__)
            return JsonResponse({"status": "unavailable", "failing": name}, status=503)
    return JsonResponse({"status": "ok"})


@sync_to_async
def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _channel_layer() -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "healthz"})
    await layer.receive(channel)
