"""The threads in which pages are made: a few, kept with their connections to the database.

Django gives each request a thread, and each thread a connection, that go when the garbage collector
comes. Here what is synchronous in a request is done by whichever of `PAGES` threads is free, first
come, first served. A thread is held only while something is computed in it: a download that goes on
for minutes holds none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")
Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

PAGES = 16
"""How many. Python computes one page at a time; the others wait for a disk or another process."""
PROBE = "/healthz"
"""It has a thread of its own: a server whose threads are all busy is in good health."""


class Threads(ThreadPoolExecutor):
    """Threads whose connections are given back after each job, as `CONN_MAX_AGE` has it."""

    def submit(self, job: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        def run() -> R:
            try:
                return job(*args, **kwargs)
            finally:
                close_old_connections()

        return super().submit(run)


class Pages(ASGIHandler):
    """Django, on our threads.

    The jobs of one request come one after the other, and not all to the same thread: a transaction
    must end in the job that began it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pages = Threads(PAGES, thread_name_prefix="talos-page")
        self._probe = Threads(1, thread_name_prefix="talos-probe")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        threads = self._probe if scope["path"] == PROBE else self._pages
        async with ThreadSensitiveContext(executor=threads):
            await self.handle(scope, receive, send)
