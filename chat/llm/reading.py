"""From the bytes of one OpenAI-style response to our stream events, under two time limits.

Sits between a connection, which somebody else opens and closes, and `chunks.Answer`. Written for
little work per token: one read, one time limit, one `orjson.loads`, nothing in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from math import inf
from typing import Any

from chat.llm import failures
from chat.llm.base import StreamEvent
from chat.llm.chunks import Answer
from chat.llm.patience import Patience
from chat.llm.sse import MAX_EVENT, EventStream, decode

AFTER_FINISH = 5.0  # seconds for the usage and [DONE], once the answer itself is complete
AFTER_DONE = 0.25  # seconds for the body's last bytes: with them the connection can be used again


class Pieces:
    """The bytes of a response as they come, none waited for beyond the deadline."""

    def __init__(
        self, read: Callable[[], Awaitable[bytes]], *, deadline: float, limit: float
    ) -> None:
        """`read` gives what has come, at least one byte; at the end none."""
        self._read = read
        self._patience = Patience(deadline)
        self._limit = limit
        self._optional = False
        self._ends_at = inf
        self._now = asyncio.get_running_loop().time

    def heard(self, limit: float) -> None:
        """The model wrote something: it has this long for more."""
        self._limit = limit
        self._patience.until(self._now() + limit)

    def finished(self, limit: float) -> None:
        """Nothing more is needed: silence and a cut connection are an end like any other.

        Said again it gives no more time: a server that goes on for ever ends here.
        """
        self._optional = True
        self._ends_at = min(self._ends_at, self._now() + limit)
        self._patience.until(self._ends_at)

    async def next(self) -> bytes:
        """Empty at the end."""
        try:
            return await self._patience.wait(self._read())
        # Broad: whatever a transport raises while a body is read, the answer is cut off.
        except Exception as error:
            if self._optional:
                return b""
            failures.note(error)
            silent = isinstance(error, TimeoutError)
            raise (failures.silent(self._limit) if silent else failures.truncated()) from None

    def close(self) -> None:
        self._patience.close()


class WholeJson:
    """The reader for a server that answers without a stream: one object, at the end."""

    done = False

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        self._body += data
        if len(self._body) > MAX_EVENT:
            raise failures.too_large()
        yield from ()

    def end(self) -> Iterator[dict[str, Any]]:
        yield decode(bytes(self._body))


def reader_for(beginning: bytes, names: failures.Names) -> EventStream | WholeJson:
    match beginning.lstrip()[:1]:
        case b"<":
            raise failures.not_a_model_server(names)
        case b"{":
            return WholeJson()
        case _:
            return EventStream()


async def read_answer(
    opening: AbstractAsyncContextManager[Pieces],
    *,
    idle_limit: float,
    names: failures.Names = failures.OPENAI,
    source: str = "",
) -> AsyncGenerator[StreamEvent]:
    """One answer. The time limit on the model's silence does not run while the caller is busy.

    `source` is the model's (`ModelClient.source`).
    """
    answer = Answer(names, source)
    async with opening as pieces:
        data = await pieces.next()
        while data.isspace():  # says nothing yet of what it is
            data = await pieces.next()
        reader = reader_for(data, names)
        while data:
            before = answer.progress
            for event in answer.read(reader.feed(data)):
                yield event
            if reader.done:
                break
            if answer.is_finished:
                pieces.finished(AFTER_FINISH)
            elif answer.progress > before:
                pieces.heard(idle_limit)
            data = await pieces.next()
        for event in answer.read(reader.end()):
            yield event
        for event in answer.end(reader.done):
            yield event
        pieces.finished(AFTER_DONE)
        while await pieces.next():
            pass
