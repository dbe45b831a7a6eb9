"""The answer to pages and new connections while the database is locked, full or away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from chat.access.middleware import Middleware
from chat.db.lanes import UNAVAILABLE, detail, explain, resolve_outcome
from chat.db.postgresql import OutcomeUnknown

log = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
"""WebSocket close code."""
RETRY_AFTER = "5"


class Unavailable(Middleware):
    """Answers 503 with a sentence, instead of an error page and a traceback in the log."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, UNAVAILABLE):
            return None
        log.warning("%s %s: %s", request.method, request.path, detail(error))
        if isinstance(error, OutcomeUnknown):
            resolve_outcome(error)  # so that other tabs hear of it
            return _answer(f"{explain(error)} Reload the page to see.\n")
        return _answer(
            f"{explain(error)} Please try again in a moment.\n", {"Retry-After": RETRY_AFTER}
        )


def _answer(text: str, headers: dict[str, str] | None = None) -> HttpResponse:
    media_type = "text/plain; charset=utf-8"
    return HttpResponse(text, status=503, content_type=media_type, headers=headers)


async def refuse(receive: Callable[..., Any], send: Callable[..., Any], error: Exception) -> None:
    """Close a WebSocket with the code for "try again later": it was not forbidden."""
    log.warning("A connection was turned away for now: %s", detail(error))
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
