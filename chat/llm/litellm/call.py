"""One request through LiteLLM: its stream as OpenAI-style chunks, under time limits.

LiteLLM makes up a `finish_reason` for a stream that ends without one; here, that is a cut answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chat.errors import ModelError
from chat.llm.failures import errors
from chat.llm.failures.details import reason
from chat.llm.litellm.thinking_blocks import ThinkingBlocks
from chat.llm.stream.endings import interruption, reason_of
from chat.llm.stream.patience import Patience
from chat.llm.stream.reading import AFTER_DONE, AFTER_FINISH

if TYPE_CHECKING:
    from chat.llm.litellm.wire import Wire

Chunk = dict[str, Any]
THOUGHT = "__thought__"
"""LiteLLM's separator between a call's id and Gemini's signature, which it joins."""


class Unfinished(ModelError):
    """The provider broke off before it wrote anything, for a reason that may not recur."""


class Call:
    """Begin it, take its chunks, close it."""

    def __init__(self, litellm: Any, wire: Wire | None, patience: Patience) -> None:
        self.wire = wire
        self.patience = patience
        self.thinking = ThinkingBlocks()
        self._litellm = litellm
        self._stream: Any = None
        self._first: Chunk | None = None
        self._ended = False
        if wire is not None:
            wire.on_bytes = patience.note_bytes

    async def begin(self, arguments: dict[str, Any]) -> None:
        """Read up to the first chunk. Raises LiteLLM's exception, or a more precise one."""
        try:
            self._stream = await self.patience.wait(self._litellm.acompletion(**arguments))
            self._first = await self.patience.wait(self._read())
        except Exception:
            if self.wire and self.wire.problem:
                raise self.wire.problem from None
            raise
        if self.wire and self._ended and reason_of(self.wire.end) is None:
            raise Unfinished(errors.interrupted(interruption(self.wire.end)).message)

    async def next(self) -> Chunk | None:
        """Return the next chunk; None after the last one."""
        if self._first is not None:
            chunk, self._first = self._first, None
            return chunk
        if self._ended:
            return None
        try:
            return await self.patience.wait(self._read())
        except ModelError:
            raise
        # Broad: whatever LiteLLM or a transport raises while reading, the answer is cut off.
        except Exception as error:
            errors.log_failure(error)
            problem = self.wire.problem if self.wire else None
            raise (problem or errors.truncated(reason(error))) from None

    async def _read(self) -> Chunk | None:
        piece, usage = await self._piece()
        if piece is None:
            raise errors.truncated()
        choices = [self._choice(choice) for choice in piece.choices[:1]]
        if choices and choices[0]["finish_reason"]:
            self._ended = True
            choices[0]["finish_reason"] = self._end(choices[0]["finish_reason"])
            if self.wire is None:
                usage = await self._late_usage() or usage
        return {"choices": choices, "usage": usage.model_dump() if usage else None}

    async def _piece(self) -> tuple[Any, Any]:
        """Return LiteLLM's next piece, and the latest token counts since the previous one."""
        stream = self._stream
        piece = await anext(stream, None)
        counts = [getattr(chunk, "usage", None) for chunk in stream.chunks]
        # LiteLLM keeps everything it has yielded, twice, and copies the whole text for every piece.
        stream.response_uptil_now = ""
        stream.chunks.clear()
        return piece, next((count for count in reversed(counts) if count is not None), None)

    def _end(self, reason: str) -> str:
        """Return why the answer ends, in the provider's word if known. Raises if there is none."""
        if self.wire is not None:
            reason = self.wire.end
        elif not (self._stream.received_finish_reason or self._stream.intermittent_finish_reason):
            reason = ""
        if not reason:
            raise errors.truncated()
        return reason

    async def _late_usage(self) -> Any:
        """Return counts that Azure and similar providers send after the end, if asked to."""
        try:
            async with asyncio.timeout(AFTER_FINISH):
                return (await self._piece())[1]
        except Exception as error:  # broad: as above, and the answer was whole
            errors.log_failure(error)
            return None

    async def drain(self) -> None:
        """Read the rest, so that the connection can serve the next request."""
        if self.wire is not None:
            try:
                async with asyncio.timeout(AFTER_DONE):
                    await self.wire.drain()
            except Exception as error:  # broad: as above, and the answer was whole
                errors.log_failure(error)

    async def aclose(self) -> None:
        """Close the connection at once."""
        self.patience.close()
        try:
            if self.wire is not None:
                await self.wire.aclose()
        finally:
            if self._stream is not None:
                await self._stream.aclose()

    def _choice(self, choice: Any) -> Chunk:
        delta = choice.delta
        read: Chunk = {"content": delta.content} if delta.content else {}
        if delta.tool_calls:
            read["tool_calls"] = [_tool(call) for call in delta.tool_calls]
        pieces = getattr(delta, "thinking_blocks", None)
        if thought := getattr(delta, "reasoning_content", None):
            # Under the first name it would also go back as text; if blocks go back, it must not.
            is_kept = pieces is None and self.wire is None
            read["reasoning_content" if is_kept else "thinking"] = thought
        if pieces:
            self.thinking.add(pieces)
        else:
            self.thinking.advance(delta.content, read.get("tool_calls", ()))
        return {"delta": read, "finish_reason": choice.finish_reason}


def _tool(call: Any) -> Chunk:
    call_id, mark, signature = (call.id or "").partition(THOUGHT)
    function = {"name": call.function.name, "arguments": call.function.arguments}
    read = {"index": call.index, "id": call_id, "function": function}
    if mark:  # the form that Gemini uses in OpenAI's protocol
        read["extra_content"] = {"google": {"thought_signature": signature}}
    return read
