"""Enforces the time limits of one answer: two clocks, one timer.

One clock runs from the last byte (`Limits.silence`), the other from the first attempt to the first
word (`Limits.first_token`). The `ModelError` says which of them ran out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from math import inf
from typing import TypeVar

from chat.llm.failures import errors
from chat.llm.stream.limits import Limits

T = TypeVar("T")


class Patience:
    """Limits the waiting of one task at a time. Neither clock runs out while nobody waits.

    `asyncio.timeout` makes and drops a timer each time, a tenth of the cost of reading a token.
    Here, one timer stays; when it fires, it checks the clocks and is set again if time is left.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._first = self._heard + limits.first_token
        self._end = inf
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Task[object] | None = None
        self._is_over = False

    @property
    def left(self) -> float:
        """Seconds left for the first word."""
        return max(0.0, self._first - self._loop.time())

    def note_bytes(self) -> None:
        """Restart the silence clock while `wait` waits for more than bytes."""
        self._heard = self._loop.time()

    def note_first_word(self) -> None:
        """Stop the clock for the first word, call or reasoning."""
        self._first = inf

    def end_in(self, seconds: float) -> None:
        """Limit all further waiting, as nothing more is needed."""
        self._end = self._loop.time() + seconds
        self.close()  # the timer would fire too late

    async def wait(self, what: Awaitable[T]) -> T:
        """Await the server's next bytes. Raises `ModelError` when time is up."""
        self._heard = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline(), self._check)
        self._waiter = task = asyncio.current_task(self._loop)  # without the loop: a system call
        try:
            return await what
        except asyncio.CancelledError:
            # Reset: a person may stop the same task later.
            is_over, self._is_over = self._is_over, False
            if is_over and task is not None and not task.uncancel():
                raise self._problem() from None
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _deadline(self) -> float:
        return min(self._heard + self._limits.silence, self._first, self._end)

    def _check(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < (deadline := self._deadline()):
            self._timer = self._loop.call_at(deadline, self._check)
        else:
            self._is_over = True
            self._waiter.cancel()

    def _problem(self) -> Exception:
        if self._first <= self._heard + self._limits.silence:
            return errors.slow(self._limits.first_token)
        return errors.silent(self._limits.silence)
