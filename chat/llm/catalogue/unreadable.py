"""The client of a provider whose stored key can no longer be decrypted.

It says so in place of an answer: another model would answer in this one's name.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from chat.llm.base import Request, StreamEvent
from chat.llm.failures import failures
from chat.llm.openai.models import ListedModel


class UnreadableKey:
    """Asks nobody."""

    base_url = ""

    def source(self, model: str) -> str:
        return model

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        raise failures.unreadable_key()
        yield  # what makes it a generator

    async def list_models(self, *, limit: float = 10) -> list[ListedModel]:
        raise failures.unreadable_key()

    async def aclose(self) -> None:
        """Nothing is open."""
