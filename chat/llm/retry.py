"""When a request that got no answer is sent again, and when it is over.

Only for what happened before the first byte of an answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from chat.errors import ModelError
from chat.llm import failures

LONGEST_WAIT = (
    30.0  # seconds: a person sits before the page. A server that asks for more gets no retry
)


class Retry:
    """The attempts of one request. `pauses` are the seconds before the second, the third …"""

    def __init__(self, pauses: Iterator[float], names: failures.Names) -> None:
        self._pauses = pauses
        self._names = names

    async def after_status(self, status: int, retry_after: str | None) -> None:
        """Return when it is time for the next attempt; raise when there is to be none."""
        wait = _asked_wait(retry_after)
        again = status in failures.RETRYABLE and wait <= LONGEST_WAIT
        await self._pause(failures.of_status(status, self._names), again=again, wait=wait)

    async def after_no_connection(self) -> None:
        """The same, when there was no response at all."""
        await self._pause(failures.unreachable(self._names), again=True, wait=0)

    async def _pause(self, problem: ModelError, *, again: bool, wait: float) -> None:
        pause = next(self._pauses, None) if again else None
        if pause is None:
            raise problem from None
        await asyncio.sleep(max(wait, pause * random.uniform(1, 1.25)))  # noqa: S311  # no secret


def _asked_wait(retry_after: str | None) -> float:
    """Seconds that a Retry-After header asks for: it is a number, or a date."""
    if not retry_after:
        return 0
    try:
        return max(0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0
