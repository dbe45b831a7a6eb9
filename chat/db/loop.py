"""The server's event loop, reached from any thread once a transaction has committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from django.db import transaction

_loop: asyncio.AbstractEventLoop | None = None


def serve_on(loop: asyncio.AbstractEventLoop | None) -> None:
    """Make this process a server whose sockets live on `loop`; None: it is no longer one."""
    global _loop
    _loop = loop


def is_server() -> bool:
    """Return whether this process serves sockets; a command does not."""
    return _loop is not None


def call_after_commit(call: Callable[[], None]) -> None:
    """Run `call` on the server's event loop once the current transaction has committed."""
    if (loop := _loop) is not None:
        transaction.on_commit(lambda: loop.call_soon_threadsafe(call))
