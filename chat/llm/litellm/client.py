"""The client for providers that do not speak OpenAI's protocol, through the `litellm` package.

LiteLLM knows each provider's requests and answers. Time limits, retries and the check that an
answer is complete are ours, as for every client (`wire.py` says why). LiteLLM is imported on first
use, off the event loop (`importing.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from chat.llm.base import Request, StreamEvent
from chat.llm.demands import Demands
from chat.llm.failures import errors
from chat.llm.failures.learned import Learned
from chat.llm.failures.redaction import Secrets
from chat.llm.litellm import importing
from chat.llm.litellm.asking import LiteLLMAsking, Provider
from chat.llm.litellm.call import Call
from chat.llm.stream.chunks import Answer
from chat.llm.stream.limits import Limits
from chat.llm.stream.patience import Patience
from chat.llm.stream.retry import Retry

if TYPE_CHECKING:
    import httpx

    from chat.llm.litellm.wire import Wire

_LIMITS, _DEMANDS = Limits(), Demands()
WATCHED = frozenset({"anthropic", "gemini"})
"""Providers that LiteLLM asks through our HTTP client, each covered by the contract tests."""


class LiteLLMClient:
    """One provider. Connections are made on first use, shared by all turns, closed by `aclose`."""

    def __init__(
        self,
        provider: str,
        api_key: str | None,
        *,
        api_base: str | None = None,
        names: errors.Names,
        limits: Limits = _LIMITS,
        demands: Demands = _DEMANDS,
        pauses: Sequence[float] = (1, 2),
    ) -> None:
        """LiteLLM looks up a missing key or base in the environment.

        `pauses`: seconds before the second attempt, the third, …
        """
        self.names = names
        self._provider = Provider(provider, api_key, api_base)
        self._limits = limits
        self._pauses = pauses
        self._learned = Learned(demands)
        self._secrets = Secrets(api_base, api_key)
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading = asyncio.Lock()

    def source(self, model: str) -> str:
        return f"{self._provider.id}/{model}"

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        litellm = await asyncio.to_thread(importing.load)
        patience = Patience(self._limits)
        retry = Retry(self._pauses, self.names, patience)
        source = self.source(request.model)
        answer = Answer(self.names, source)
        asking = LiteLLMAsking(request, source, self._learned, self._secrets, self._provider)
        with errors.redacting(self._secrets):
            async with aclosing(asking.begin(litellm, self._wire, patience, retry)) as steps:
                async for step in steps:
                    if isinstance(step, Call):
                        call = step
                        break
                    yield step
                while (chunk := await call.next()) is not None:
                    before = answer.progress
                    for event in answer.read((chunk,)):
                        yield event
                    if answer.progress > before:
                        patience.note_first_word()
                for part in call.thinking.opaque(source):
                    yield part
                for event in answer.end():
                    yield event
                await call.drain()

    async def aclose(self) -> None:
        """Close the kept connections. The client can be used again."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _wire(self) -> Wire | None:
        if self._provider.id not in WATCHED:
            return None
        from chat.llm.litellm.wire import Wire

        loop = asyncio.get_running_loop()
        async with self._loading:
            # A kept connection belongs to its loop; a test or command may bring another loop.
            if self._http is None or self._loop is not loop:
                self._http, self._loop = await asyncio.to_thread(_connections), loop
            return Wire(self._http, self.names)


def _connections() -> httpx.AsyncClient:
    # Runs in a thread: it reads all certificates.
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx.AsyncClient(timeout=httpx.Timeout(None, connect=5), limits=limits)
