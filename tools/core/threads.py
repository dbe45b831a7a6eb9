"""Threads for work that may hang.

The standard pool is joined when the process exits, so one hung tool would keep a stopped server
alive; these are daemon threads. Each pool is small, so hung work blocks only its own pool.
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
    """A small pool of threads, started on demand."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._work: SimpleQueue[tuple[Future[T], Callable[[], T]]] = SimpleQueue()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue work; call it on the event loop's thread only. Work cancelled in the queue never runs."""
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
            del future, work  # do not keep a result until the next call


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Run this in a new thread. The caller must make sure that it ends."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    threading.Thread(target=fill, args=(future, work), daemon=True).start()
    return asyncio.wrap_future(future)


def fill(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # goes to whoever awaits the future
        future.set_exception(error)
    else:
        future.set_result(result)
