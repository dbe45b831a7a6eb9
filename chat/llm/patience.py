"""A limit on each of many waits, without a timer for each: for what is waited for at every token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Patience:
    """Until when whoever waits here goes on waiting. For one task at a time.

    `asyncio.timeout` makes and drops a timer each time, which was a tenth of a token's reading.
    Here one timer stays, looks at the deadline when it goes off, and is set again if that has
    moved on. It does not run out while nobody waits.
    """

    def __init__(self, deadline: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Task[object] | None = None
        self._is_over = False

    def until(self, deadline: float) -> None:
        """Move the deadline."""
        if deadline < self._deadline:
            self.close()  # the timer would look too late
        self._deadline = deadline

    async def wait(self, what: Awaitable[T]) -> T:
        """What it comes to. Raises `TimeoutError` at the deadline."""
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look)
        self._waiter = task = asyncio.current_task(self._loop)  # without it, a system call
        try:
            return await what
        except asyncio.CancelledError:
            if self._is_over and task is not None and not task.uncancel():
                raise TimeoutError from None
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self._is_over = True
            self._waiter.cancel()
