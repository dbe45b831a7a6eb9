"""Sends one request through LiteLLM until the first chunk of its answer.

As with any server (`openai/asking.py`), refused fields are left out and temporary failures retried.
LiteLLM's exceptions are turned back into the server's words.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat.errors import ModelError
from chat.llm.base import Remark, Request, Waiting
from chat.llm.failures import details, errors
from chat.llm.failures.details import Complaint
from chat.llm.failures.learned import Learned
from chat.llm.failures.redaction import Secrets
from chat.llm.litellm import thinking_blocks
from chat.llm.litellm.call import Call, Unfinished
from chat.llm.openai.asking import Asking, Broken
from chat.llm.openai.wire import Body
from chat.llm.stream.patience import Patience
from chat.llm.stream.retry import Retry

if TYPE_CHECKING:
    from chat.llm.litellm.wire import Wire

_CLASSES = re.compile(r"^(?:(?:litellm\.)?[A-Za-z_]{1,60}(?:Error|Exception)(?::| -)?\s+)+")
"""LiteLLM's prefix to a server's words."""
_NO_RESPONSE = re.compile(r"cannot connect|connect(?:ion)? (?:call failed|error|refused)", re.I)


_NO_LIMIT = 86_400.0
"""Seconds: `Patience` sets the limits. Without a number, LiteLLM uses its own."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's settings. LiteLLM looks up a missing key or base in the environment."""

    id: str
    api_key: str | None
    api_base: str | None


class LiteLLMAsking(Asking[Call]):
    """The attempts of one request through LiteLLM."""

    def __init__(
        self, request: Request, source: str, known: Learned, secrets: Secrets, provider: Provider
    ) -> None:
        super().__init__(request, source, known, secrets)
        self._provider = provider
        self._may_be_spoiled = True

    async def begin(
        self,
        litellm: Any,
        wired: Callable[[], Awaitable[Wire | None]],
        patience: Patience,
        retry: Retry,
    ) -> AsyncGenerator[Waiting | Remark | Call]:
        """Yield notes meanwhile, then the call. Raises `ModelError`.

        Closing the generator closes the connection.
        """
        self._litellm, self._wired, self._patience = litellm, wired, patience
        async with aclosing(self._attempt_until_answered(retry)) as steps:
            async for step in steps:
                yield step

    async def _attempt(self) -> Call | Complaint | Broken:
        call = Call(self._litellm, await self._wired(), self._patience)
        now = asyncio.get_running_loop().time
        began = now()
        try:
            await call.begin(self._arguments(call.wire))
        except Unfinished:
            await call.aclose()
            if not self._may_be_spoiled:
                raise
            self._may_be_spoiled = False
            return await self._attempt()
        except ModelError:
            await call.aclose()
            raise
        # Broad: LiteLLM has a class of its own for every provider and failure.
        except Exception as error:
            await call.aclose()
            return self._problem(error, call.wire, now() - began)
        except BaseException:
            await call.aclose()
            raise
        return call

    async def _close(self, answer: Call) -> None:
        await answer.aclose()

    def _problem(self, error: Exception, wire: Wire | None, seconds: float) -> Complaint | Broken:
        if wire is None:
            return self._complaint_of(error, seconds)
        if wire.refusal is not None and wire.status is not None:
            return self._redact(details.read(wire.status, wire.refusal, wire.headers))
        if wire.broke is not None:
            reason = self._secrets.redact(details.reason(wire.broke))
            return Broken(reason, seconds, was_reached=wire.was_reached)
        if wire.status is not None:
            raise errors.truncated() from None
        return self._complaint_of(error, seconds)  # LiteLLM itself refused, and nothing was sent

    def _complaint_of(self, error: Exception, seconds: float) -> Complaint | Broken:
        """Return the server's complaint as LiteLLM reports it."""
        message = _CLASSES.sub("", str(getattr(error, "message", "") or "")[: details.LARGEST])
        if _NO_RESPONSE.search(message[:1000]):
            return Broken("Connection failed", seconds, was_reached=False)
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or not 400 <= status < 600:
            errors.log_failure(error)
            raise errors.not_made() from None  # its class is in the log
        headers = getattr(error, "litellm_response_headers", None)
        headers = headers if isinstance(headers, Mapping) else {}
        return self._redact(details.read(status, message.encode(errors="replace"), headers))

    def _redact(self, complaint: Complaint) -> Complaint:
        return replace(complaint, message=self._secrets.redact(complaint.message))

    def _arguments(self, wire: Wire | None) -> Body:
        body = {**self._body, "model": f"{self._provider.id}/{self._request.model}"}
        if wire is not None:
            body.pop("stream_options", None)  # it makes LiteLLM estimate missing counts
        messages = [_for_litellm(message, wire) for message in self._body["messages"]]
        given = {"api_key": self._provider.api_key, "api_base": self._provider.api_base}
        ours = {"client": wire, "max_retries": 0, "num_retries": 0, "timeout": _NO_LIMIT}
        # With tools, it looks for its proxy's own, in a package that is not installed.
        return {**body, "messages": messages, **given, **ours, "_skip_mcp_handler": True}


def _for_litellm(message: Body, wire: Wire | None) -> Body:
    """Move opaque fields to where LiteLLM looks for them."""
    if blocks := message.get(thinking_blocks.KIND):
        returned = thinking_blocks.blocks_to_return(blocks, places=wire is not None)
        message = {**message, thinking_blocks.KIND: returned}
    if calls := message.get("tool_calls"):
        message = {**message, "tool_calls": [_with_signature(call) for call in calls]}
    return message


def _with_signature(call: Body) -> Body:
    extra = call.get("extra_content", {}).get("google")
    return {**call, "provider_specific_fields": extra} if isinstance(extra, dict) else call
