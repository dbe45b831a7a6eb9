"""How long one answer is waited for: one object with two clocks, and one timer for both.

One runs from the last byte (`Limits.silence`), one from the first attempt to the first word
(`Limits.first_token`). A `ModelError` says which of them ran out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from math import inf
from typing import TypeVar

from chat.llm.failures import failures
from chat.llm.stream.limits import Limits

T = TypeVar("T")


class Patience:
    """For one task at a time. Neither clock runs out while nobody waits.

    `asyncio.timeout` makes and drops a timer each time, which was a tenth of a token's reading.
    Here one timer stays, looks at the clocks when it goes off, and is set again if there is time.
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
        """Seconds until the first word has to be there."""
        return max(0.0, self._first - self._loop.time())

    def heard(self) -> None:
        """Bytes came, for one who waits for more than bytes."""
        self._heard = self._loop.time()

    def begun(self) -> None:
        """The first word, call or thought is there."""
        self._first = inf

    def end_in(self, seconds: float) -> None:
        """Nothing more is needed: wait so long at most, whatever comes."""
        self._end = self._loop.time() + seconds
        self.close()  # the timer would look too late

    async def wait(self, what: Awaitable[T]) -> T:
        """What it comes to: the server's next bytes. Raises `ModelError` when time is up."""
        self._heard = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline(), self._check)
        self._waiter = task = asyncio.current_task(self._loop)  # without it, a system call
        try:
            return await what
        except asyncio.CancelledError:
            # Once: a person may stop the same task later.
            is_over, self._is_over = self._is_over, False
            if is_over and task is not None and not task.uncancel():
                raise self._problem() from None
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        """End the timer."""
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
            return failures.slow(self._limits.first_token)
        return failures.silent(self._limits.silence)
