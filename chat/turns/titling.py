"""Asks for titles in the background: when one is wanted, and when it has to give way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from chat.errors import TalosError
from chat.llm.catalogue.models import get_catalogue
from chat.turns import titles
from chat.turns.live import LiveTurn


class Titling:
    """One per process. All methods are for the event loop's thread."""

    def __init__(
        self, background: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    ) -> None:
        self._background = background
        self._requests: dict[UUID, asyncio.Task[None]] = {}
        """Requests for titles under way, by conversation."""
        self._untitled: set[UUID] = set()
        """Conversations whose title was put off until after their next answer."""

    def want(self, turn: LiveTurn, *, is_next_running: bool) -> None:
        """Ask for a title after the first answer, or after the next one if it was put off."""
        here = turn.conversation_id
        if not turn.is_first and here not in self._untitled:
            return
        if is_next_running:
            self._untitled.add(here)
            return
        self._untitled.discard(here)
        task = self._requests[here] = self._background(_entitle(turn))
        task.add_done_callback(lambda _: self._requests.pop(here, None))

    def put_off(self, conversation_id: UUID) -> None:
        """Give up a request: a server that answers one at a time would delay the person's."""
        if task := self._requests.pop(conversation_id, None):
            task.cancel()
            self._untitled.add(conversation_id)


async def _entitle(turn: LiveTurn) -> None:
    async with get_catalogue().hold() as catalogue:
        try:
            model = await catalogue.resolve(turn.model)
        except TalosError:
            return  # it has vanished since; the opening words stay
        await titles.entitle(turn.conversation_id, model)
