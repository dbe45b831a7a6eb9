"""One request through LiteLLM: its stream, under time limits, as chunks in OpenAI's words.

At the end of a stream that said nothing of an end LiteLLM makes up a `finish_reason`; here that is
an answer cut off.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

from chat.errors import ModelError
from chat.llm import failures
from chat.llm.limits import Limits
from chat.llm.patience import Patience
from chat.llm.reading import AFTER_DONE, AFTER_FINISH
from chat.llm.thinking_blocks import ThinkingBlocks

if TYPE_CHECKING:
    from chat.llm.litellm_wire import Wire

Chunk = dict[str, Any]
THOUGHT = "__thought__"
"""Between the id of a call and what Gemini signed with it, where LiteLLM makes one of the two."""
_WINDOW_FULL = "model_context_window_exceeded"
_UNFINISHED = frozenset(
    {
        "pause_turn",
        "FINISH_REASON_UNSPECIFIED",
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "OTHER",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)
"""Ends of Anthropic and Gemini that leave an answer unfinished: for LiteLLM most are a `stop`."""


class Unfinished(ModelError):
    """The provider broke the answer off, for a reason that may not come again."""


class Call:
    """Begin it, take its chunks, close it."""

    def __init__(self, litellm: Any, wire: Wire | None, limits: Limits) -> None:
        self.thinking = ThinkingBlocks()
        self._litellm = litellm
        self._wire = wire
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self._first_by = self._now() + limits.first_token
        self._patience = Patience(min(self._first_by, self._now() + limits.silence))
        self._stream: Any = None
        self._first: Chunk | None = None
        self._ended = False
        if wire is not None:
            wire.heard = self._heard

    def said(self) -> None:
        """The model wrote something. From now on only silence is too long."""
        self._first_by = inf
        self._heard()

    async def begin(self, arguments: dict[str, Any]) -> None:
        """Up to the first chunk. Raises whatever LiteLLM raises, or what is known better."""
        try:
            self._stream = await self._patience.wait(self._litellm.acompletion(**arguments))
            self._first = await self._patience.wait(self._read())
        except TimeoutError:
            raise self._silent() from None
        except Exception:
            if self._wire and self._wire.problem:
                raise self._wire.problem from None
            raise

    async def next(self) -> Chunk | None:
        """None after the last chunk."""
        if self._first is not None:
            chunk, self._first = self._first, None
            return chunk
        if self._ended:
            return None
        try:
            return await self._patience.wait(self._read())
        except ModelError:
            raise
        # Broad: whatever LiteLLM or a transport raises while it reads, the answer is cut off.
        except Exception as error:
            import traceback; traceback.print_exc()
            failures.note(error)
            if isinstance(error, TimeoutError):
                raise self._silent() from None
            problem = self._wire.problem if self._wire else None
            raise (problem or failures.truncated()) from None

    def _silent(self) -> ModelError:
        return failures.silent(self._limits.silence)

    def _heard(self) -> None:
        self._patience.until(min(self._first_by, self._now() + self._limits.silence))

    async def _read(self) -> Chunk | None:
        piece, usage = await self._piece()
        if piece is None:
            raise failures.truncated()
        if self._wire is None:
            self._heard()
        choices = [self._choice(choice) for choice in piece.choices[:1]]
        if choices and choices[0]["finish_reason"]:
            self._ended = True
            await self._finish(choices[0])
            if self._wire is None:
                usage = await self._late_usage() or usage
        return {"choices": choices, "usage": usage.model_dump() if usage else None}

    async def _piece(self) -> tuple[Any, Any]:
        """What LiteLLM gives next, and the last count of tokens that the provider gave meanwhile."""
        stream = self._stream
        piece = await anext(stream, None)
        counts = [getattr(chunk, "usage", None) for chunk in stream.chunks]
        # It keeps all that it ever gave, twice, and copies the whole text for every piece.
        stream.response_uptil_now = ""
        stream.chunks.clear()
        return piece, next((count for count in reversed(counts) if count is not None), None)

    async def _finish(self, choice: Chunk) -> None:
        """The end, as the provider said it. Raises when it did not, or not of a whole answer."""
        if self._wire is None:
            stream = self._stream
            if not (stream.received_finish_reason or stream.intermittent_finish_reason):
                raise failures.truncated()
            return
        if not self._wire.end:  # LiteLLM reads a line, `Wire` an event, which ends later
            await self._drain(AFTER_FINISH)
        if not self._wire.end:
            raise failures.truncated()
        if self._wire.end in _UNFINISHED:
            raise Unfinished(failures.truncated().message, self._wire.end)
        if self._wire.end == _WINDOW_FULL:
            choice["finish_reason"] = _WINDOW_FULL

    async def _late_usage(self) -> Any:
        """Azure and its like count after the end, where they were asked to."""
        try:
            async with asyncio.timeout(AFTER_FINISH):
                return (await self._piece())[1]
        except Exception as error:  # broad: as above, and the answer was whole
            failures.note(error)
            return None

    async def drain(self) -> None:
        """Nothing more is needed but the connection, for the next request."""
        await self._drain(AFTER_DONE)

    async def _drain(self, seconds: float) -> None:
        if self._wire is not None:
            try:
                async with asyncio.timeout(seconds):
                    await self._wire.drain()
            except Exception as error:  # broad: as above, and the answer was whole
                failures.note(error)

    async def aclose(self) -> None:
        """Close the connection, at once."""
        self._patience.close()
        if self._wire is not None:
            await self._wire.aclose()
        if self._stream is not None:
            await self._stream.aclose()

    def _choice(self, choice: Any) -> Chunk:
        delta = choice.delta
        calls = [_tool(call) for call in delta.tool_calls or ()]
        if pieces := getattr(delta, "thinking_blocks", None):
            self.thinking.add(pieces)
        self.thinking.passed(delta.content or "", sum(1 for call in calls if call["id"]))
        read = {
            "content": delta.content,
            "reasoning_content": getattr(delta, "reasoning_content", None),
            "tool_calls": calls,
        }
        return {"delta": read, "finish_reason": choice.finish_reason}


def _tool(call: Any) -> Chunk:
    call_id, mark, signature = (call.id or "").partition(THOUGHT)
    function = {"name": call.function.name, "arguments": call.function.arguments}
    read = {"index": call.index, "id": call_id, "function": function}
    if mark:  # as Gemini says it where it speaks OpenAI's protocol
        read["extra_content"] = {"google": {"thought_signature": signature}}
    return read
