"""One request through LiteLLM: its stream, under time limits, as chunks in OpenAI's words.

At the end of a stream that said nothing of an end LiteLLM makes up a `finish_reason`; here that is
an answer cut off.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chat.errors import ModelError
from chat.llm import failures
from chat.llm.reading import AFTER_DONE, AFTER_FINISH
from chat.llm.signatures import Signatures

if TYPE_CHECKING:
    from chat.llm.litellm_wire import Wire

Chunk = dict[str, Any]


class Call:
    """Begin it, take its chunks, close it."""

    def __init__(
        self, litellm: Any, wire: Wire | None, signatures: Signatures, *, limit: float
    ) -> None:
        self._litellm = litellm
        self._wire = wire
        self._signatures = signatures
        self._limit = limit
        self._deadline = asyncio.get_running_loop().time() + limit
        self._stream: Any = None
        self._first: Chunk | None = None
        self._ended = False

    def heard(self, limit: float) -> None:
        """The model wrote something: it has this long for more."""
        self._limit = limit
        self._deadline = asyncio.get_running_loop().time() + limit

    async def begin(self, arguments: dict[str, Any]) -> None:
        """Up to the first chunk. Raises whatever LiteLLM raises, or what is known better."""
        try:
            async with asyncio.timeout_at(self._deadline):
                self._stream = await self._litellm.acompletion(**arguments)
                self._first = await self._read()
        except TimeoutError:
            raise failures.silent(self._limit) from None
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
            async with asyncio.timeout_at(self._deadline):
                return await self._read()
        except ModelError:
            raise
        # Broad: whatever LiteLLM or a transport raises while it reads, the answer is cut off.
        except Exception as error:
            failures.note(error)
            if isinstance(error, TimeoutError):
                raise failures.silent(self._limit) from None
            problem = self._wire.problem if self._wire else None
            raise (problem or failures.truncated()) from None

    async def _read(self) -> Chunk | None:
        stream = self._stream
        piece = await anext(stream, None)
        usage = _usage_of(stream.chunks)
        # It keeps all that it ever gave, twice, and copies the whole text for every piece.
        stream.response_uptil_now = ""
        stream.chunks.clear()
        if piece is None:
            raise failures.truncated()
        chunk = _plain(piece, usage)
        for choice in chunk["choices"]:
            self._signatures.take_off(choice["delta"]["tool_calls"])
        if chunk["choices"] and chunk["choices"][0]["finish_reason"]:
            self._ended = True
            if not await self._is_whole():
                raise failures.truncated()
        return chunk

    async def _is_whole(self) -> bool:
        if self._wire is None:
            stream = self._stream
            return bool(stream.received_finish_reason or stream.intermittent_finish_reason)
        if not self._wire.is_finished:  # LiteLLM reads a line, `Wire` an event, which ends later
            await self._drain(AFTER_FINISH)
        return self._wire.is_finished

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
        if self._wire is not None:
            await self._wire.aclose()
        if self._stream is not None:
            await self._stream.aclose()


def _usage_of(chunks: list[Any]) -> Any:
    """The last count in what LiteLLM kept: providers count all anew each time."""
    counts = [getattr(chunk, "usage", None) for chunk in chunks]
    return next((count for count in reversed(counts) if count is not None), None)


def _plain(piece: Any, usage: Any) -> Chunk:
    chunk: Chunk = {"choices": [_choice(choice) for choice in piece.choices[:1]]}
    if usage is not None:
        chunk["usage"] = usage.model_dump()
    return chunk


def _choice(choice: Any) -> Chunk:
    delta = choice.delta
    read = {
        "content": delta.content,
        "reasoning_content": getattr(delta, "reasoning_content", None),
        "tool_calls": [_tool(call) for call in delta.tool_calls or ()],
    }
    return {"delta": read, "finish_reason": choice.finish_reason}


def _tool(call: Any) -> Chunk:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"index": call.index, "id": call.id, "function": function}
