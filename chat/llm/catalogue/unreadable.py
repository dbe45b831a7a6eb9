"""The client for a provider whose stored key can no longer be decrypted.

It fails with that message; otherwise another model would answer in this one's name.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from chat.llm.base import Request, StreamEvent
from chat.llm.failures import errors
from chat.llm.openai.models import ListedModel


class UnreadableKey:
    """A client that refuses every request."""

    base_url = ""

    def source(self, model: str) -> str:
        return model

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        raise errors.unreadable_key()
        yield  # makes this a generator

    async def list_models(self, *, limit: float = 10) -> list[ListedModel]:
        raise errors.unreadable_key()

    async def aclose(self) -> None:
        """Nothing is open."""
