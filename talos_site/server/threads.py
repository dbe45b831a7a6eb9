"""The threads in which pages are made: a few, kept with their connections to the database.

Django gives each request a thread, and each thread a connection, that go when the garbage collector
comes. Here what is synchronous in a request is done by whichever of `PAGES` threads is free, first
come, first served. A thread is held only while something is computed in it, or while a page waits for
its texts, which few may at once: a download that goes on for minutes holds none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock
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


class Jobs(Executor):
    """What is done for one request: one job after the other, each in a thread that is free.

    Not all in the same one: a transaction must end in the job that began it. The thread's connections
    are given back after each, as `CONN_MAX_AGE` has it.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._changing = Lock()
        self._jobs: deque[Callable[[], None]] = deque()
        """The first one waits for a thread, or has one."""

    def submit(self, job: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    result = _given_back(job, *args, **kwargs)
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)

        with self._changing:
            if not self._jobs:
                self._threads.submit(self._run_first)
            self._jobs.append(run)
        return future

    def _run_first(self) -> None:
        with self._changing:
            run = self._jobs[0]
        run()
        with self._changing:
            self._jobs.popleft()
            if self._jobs:
                self._threads.submit(self._run_first)


def _given_back(job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return job(*args, **kwargs)
    finally:
        close_old_connections()


class Pages(ASGIHandler):
    """Django, on our threads."""

    def __init__(self) -> None:
        super().__init__()
        self._pages = ThreadPoolExecutor(PAGES, thread_name_prefix="talos-page")
        self._probe = ThreadPoolExecutor(1, thread_name_prefix="talos-probe")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        threads = self._probe if scope["path"] == PROBE else self._pages
        async with ThreadSensitiveContext(executor=Jobs(threads)):
            await self.handle(scope, receive, send)
