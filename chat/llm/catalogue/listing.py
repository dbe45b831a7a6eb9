"""A server's latest list of models, renewed in the background. Waiting is optional."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from chat.errors import ModelError
from chat.llm.openai.client import ListedModel


class Listing:
    """One server's list. If the server becomes unreachable, its models stay, beside the problem."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[list[ListedModel]]],
        *,
        fresh_for: float = 60,
        retry_after: float = 5,
    ) -> None:
        self.models: list[ListedModel] = []
        self.problem: ModelError | None = None
        self._fetch = fetch
        self._fresh_for = fresh_for
        self._retry_after = retry_after
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_known(self) -> bool:
        """Whether the server has been asked, successfully or not."""
        return self._due > 0

    def refresh(self, *, at_once: bool = False) -> asyncio.Task[None] | None:
        """Renew the list if it is stale, or `at_once`.

        Returns the renewing task; None if there is none, as always after closing.
        """
        loop = asyncio.get_running_loop()
        task = self._task
        # Ignore a task of another loop: a test or command has ended that loop.
        if task is not None and not task.done() and task.get_loop() is loop:
            return task
        if self._is_closed or (not at_once and time.monotonic() < self._due):
            return None
        self._task = loop.create_task(self._fetch_list(), name="refresh a list of models")
        return self._task

    async def renew(self) -> None:
        """Ask the server now and wait for the result."""
        if (task := self.refresh(at_once=True)) is not None:
            await asyncio.wait([task])

    async def aclose(self) -> None:
        """Stop refreshing for good."""
        self._is_closed = True
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait([task])

    async def _fetch_list(self) -> None:
        wait = self._retry_after
        try:
            self.models, self.problem = await self._fetch(), None
            wait = self._fresh_for
        except ModelError as error:
            self.problem = error
        finally:
            self._due = time.monotonic() + wait
