"""Twisted's reactor on uvloop, if that is installed.

Import this before `daphne.server`, which would create a reactor on asyncio's own loop; the first
one stays.
"""

from __future__ import annotations

import asyncio

from twisted.internet import asyncioreactor


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


loop = _new_loop()
asyncioreactor.install(loop)  # type: ignore[no-untyped-call]  # Twisted's
