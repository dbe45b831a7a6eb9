"""Threads for work that may hang.

The standard pool is joined when the process ends, so one hung tool would keep a stopped server
alive: these are daemons. A pool is small, so that hung work fills its own and nobody else's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Threads(Generic[T]):
    """A few threads, started when they are needed."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._work: SimpleQueue[tuple[Future[T], Callable[[], T]]] = SimpleQueue()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """For the event loop's thread only. A future that is cancelled before its turn never runs."""
        future: Future[T] = Future()
        self._work.put((future, work))
        if not self._idle.acquire(blocking=False) and self._started < self._most:
            self._started += 1
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        return future

    def _serve(self) -> None:
        while True:
            try:
                future, work = self._work.get_nowait()
            except Empty:
                self._idle.release()
                future, work = self._work.get()
            if future.set_running_or_notify_cancel():
                fill(future, work)
            del future, work  # a result is not kept until the next call


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Run this in a thread of its own, which whoever calls must see to the end of."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    threading.Thread(target=fill, args=(future, work), daemon=True).start()
    return asyncio.wrap_future(future)


def fill(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # the thread's border: whoever waits gets it
        future.set_exception(error)
    else:
        future.set_result(result)
