"""A small pool of threads for pages, which keep their database connections.

Django gives each request a new thread with a new connection, freed by the garbage collector. Here
the synchronous parts of a request run in whichever of `PAGES` threads is free, first come, first
served. A thread is held only while it computes, or while a page waits for rendered texts, which only
a few may at once; a download that takes minutes holds none.
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
"""The number of threads. Python computes one page at a time; others wait for disk or a process."""
PROBE = "/healthz"
"""The health check, which has its own thread: a server whose threads are all busy is healthy."""


class Jobs(Executor):
    """The jobs of one request, run one after another, each in any free thread.

    Since threads may differ, a transaction must end in the job that began it. After each job, the
    thread's connections are closed if `CONN_MAX_AGE` requires it.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._changing = Lock()
        self._jobs: deque[Callable[[], None]] = deque()
        """The first job waits for a thread, or has one."""

    def submit(self, job: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    result = _run(job, *args, **kwargs)
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


def _run(job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return job(*args, **kwargs)
    finally:
        close_old_connections()


class Pages(ASGIHandler):
    """Django's ASGI handler on our threads."""

    def __init__(self) -> None:
        super().__init__()
        self._pages = ThreadPoolExecutor(PAGES, thread_name_prefix="talos-page")
        self._probe = ThreadPoolExecutor(1, thread_name_prefix="talos-probe")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        threads = self._probe if scope["path"] == PROBE else self._pages
        async with ThreadSensitiveContext(executor=Jobs(threads)):
            await self.handle(scope, receive, send)
