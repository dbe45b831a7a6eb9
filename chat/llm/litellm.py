"""Any provider that does not speak OpenAI's protocol, through the `litellm` package.

LiteLLM knows how each provider is asked and what its answers mean. Time limits, further attempts
and whether an answer was whole are ours, as they are for every client (`litellm_wire.py` says why).
It is imported on first use, off the event loop (`litellm_import.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from chat.errors import ModelError
from chat.llm import failures, litellm_import
from chat.llm.base import Request, StreamEvent
from chat.llm.chunks import Answer
from chat.llm.demands import Demands
from chat.llm.limits import Limits
from chat.llm.litellm_call import Call
from chat.llm.openai_wire import body_of
from chat.llm.retry import Retry
from chat.llm.signatures import Signatures

if TYPE_CHECKING:
    import httpx

    from chat.llm.litellm_wire import Wire

_LIMITS, _DEMANDS = Limits(), Demands()
WATCHED = frozenset({"anthropic", "gemini"})
"""Providers that LiteLLM asks through an HTTP client of ours, each proven by the contract tests."""


class LiteLLMClient:
    """One provider. Connections are made on first use, shared by all turns, closed by `aclose`."""

    def __init__(
        self,
        provider: str,
        api_key: str | None,
        *,
        api_base: str | None = None,
        names: failures.Names,
        limits: Limits = _LIMITS,
        demands: Demands = _DEMANDS,
        pauses: Sequence[float] = (1, 2),
    ) -> None:
        """Without a key or a base LiteLLM looks for them in the environment.

        `pauses` are the seconds before the second, the third … attempt.
        """
        self._provider = provider
        self._given = {"api_key": api_key, "api_base": api_base}
        self.names = names
        self._limits = limits
        self._demands = demands
        self._pauses = pauses
        self._signatures = Signatures()
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading = asyncio.Lock()

    def source(self, model: str) -> str:
        return f"{self._provider}/{model}"

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        answer = Answer(self.names, self.source(request.model))
        call = await self._begun(request)
        try:
            while (chunk := await call.next()) is not None:
                before = answer.progress
                for event in answer.read((chunk,)):
                    yield event
                if answer.progress > before:
                    call.heard(self._limits.silence)
            for event in answer.end():
                yield event
            await call.drain()
        finally:
            await call.aclose()

    async def aclose(self) -> None:
        """Close the kept connections. The client can be used again."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _begun(self, request: Request) -> Call:
        """Ask until there is a first piece: after that nothing is asked twice."""
        litellm = await asyncio.to_thread(litellm_import.load)
        retry = Retry(iter(self._pauses), self.names)
        while True:
            wire = await self._wire()
            call = Call(litellm, wire, self._signatures, limit=self._limits.silence)
            try:
                await call.begin(self._arguments(request, wire))
            except ModelError:
                await call.aclose()
                raise
            # Broad: LiteLLM has a class of its own for every provider and every mood.
            except Exception as error:
                await call.aclose()
                await self._pause(retry, error, wire)
            except BaseException:
                await call.aclose()
                raise
            else:
                return call

    async def _pause(self, retry: Retry, error: Exception, wire: Wire | None) -> None:
        """Until the next attempt; raises when there is to be none."""
        status = wire.status if wire else getattr(error, "status_code", None)
        failures.note(error, status)
        if isinstance(status, int) and status >= 300:
            await retry.after_status(status, wire.retry_after if wire else None)
        elif wire and wire.was_sent and status is None:
            await retry.after_no_connection()
        elif wire and wire.was_sent:
            raise failures.truncated() from None
        else:  # LiteLLM itself refused, and nothing was sent
            raise failures.of_status(400, self.names) from None

    def _arguments(self, request: Request, wire: Wire | None) -> dict[str, Any]:
        body = body_of(request, self._demands, self.source(request.model))
        body.pop("stream_options", None)  # with it LiteLLM counts what a provider did not count
        self._signatures.put_back(body["messages"])
        body["model"] = f"{self._provider}/{request.model}"
        ours = {"client": wire, "max_retries": 0, "num_retries": 0}
        # With tools it looks for those of its proxy, in a package that is not installed.
        return {**body, **self._given, **ours, "_skip_mcp_handler": True}

    async def _wire(self) -> Wire | None:
        if self._provider not in WATCHED:
            return None
        from chat.llm.litellm_wire import Wire

        loop = asyncio.get_running_loop()
        async with self._loading:
            # A kept connection belongs to its loop, and a test or a command may bring another.
            if self._http is None or self._loop is not loop:
                self._http, self._loop = await asyncio.to_thread(_connections), loop
            return Wire(self._http, self.names)


def _connections() -> httpx.AsyncClient:
    # In a thread: it reads all certificates.
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx.AsyncClient(timeout=httpx.Timeout(None, connect=5), limits=limits)
