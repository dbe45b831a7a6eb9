"""Turns the bytes of one OpenAI-style response into stream events, under two time limits.

Sits between a connection, which its caller opens and closes, and `chunks.Answer`. Written for
little work per token: one read, one time limit, one `orjson.loads`, nothing in between.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from time import monotonic
from typing import Any

from chat.errors import ModelError
from chat.llm.base import Remark, StreamEvent, Waiting
from chat.llm.failures import errors
from chat.llm.failures.details import reason
from chat.llm.failures.redaction import Secrets, plain
from chat.llm.stream.chunks import Answer
from chat.llm.stream.patience import Patience
from chat.llm.stream.sse import MAX_EVENT, EventStream, decode

AFTER_FINISH = 5.0  # seconds for the usage and [DONE], once the answer itself is complete
_STREAM = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:[:{\[]|data|event|id|retry|$|[deir][a-z]{0,4}$)")
"""The beginning of a body that may be an answer, cut anywhere."""
MAX_SLICE = 16 * 1024  # bytes before checking the clock
MAX_BLOCKING = 0.002  # seconds before yielding to other tasks: thousands of events may come at once
AFTER_DONE = 0.25  # seconds for the body's last bytes, after which the connection can be reused


class ResponseBytes:
    """The bytes of a response as they arrive."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], patience: Patience) -> None:
        """`read` returns the bytes that have arrived, at least one; empty at the end."""
        self._read = read
        self._patience = patience
        self.problem: ModelError | None = None
        """Why the bytes stopped before the end."""
        self._is_optional = False
        self._progress = 0

    def heed(self, answer: Answer) -> bool:
        """Adjust the waiting time to the answer's progress since the last call.

        True if the answer is complete and nothing more is needed.
        """
        before, self._progress = self._progress, answer.progress
        grown = self._progress > before
        if grown:
            self._patience.note_first_word()
        # Some servers send the end first, or continue after it: more words renew the wait.
        if grown if self._is_optional else answer.reason is not None and answer.is_finished:
            self._stop_within(AFTER_FINISH)
        return self._is_optional

    def _stop_within(self, limit: float) -> None:
        """Stop after `limit` seconds at most, whatever the server sends.

        The answer is complete, so silence and a cut connection no longer count as failures.
        """
        self._is_optional = True
        self._patience.end_in(limit)

    async def first(self) -> bytes:
        """Return the first bytes after any whitespace, which does not tell what the body is."""
        data = await self.next()
        while data.isspace():
            data = await self.next()
        return data

    async def next(self) -> bytes:
        """Return the next bytes; empty at the end, or with `problem` set."""
        try:
            return await self._patience.wait(self._read())
        except ModelError as error:
            self._fail(error)
        # Broad: whatever a transport raises while reading a body, the answer is cut off.
        except Exception as error:
            errors.log_failure(error)
            self._fail(errors.truncated(reason(error)))
        return b""

    def _fail(self, problem: ModelError) -> None:
        if not self._is_optional:
            self.problem = problem

    async def drain(self) -> None:
        """Read to the end, which comes soon, so that the connection can be reused."""
        self._stop_within(AFTER_DONE)
        while await self.next():
            pass


class WholeJson:
    """The reader for a server that sends one object instead of a stream."""

    def __init__(self) -> None:
        self.done = self.is_rest = False
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        self._body += data
        if len(self._body) > MAX_EVENT:
            raise errors.too_large()
        yield from ()

    def end(self) -> Iterator[dict[str, Any]]:
        yield decode(bytes(self._body))
        self.done = True  # a complete object is a complete answer


def reader_for(beginning: bytes, names: errors.Names) -> EventStream | WholeJson:
    match beginning.lstrip()[:1]:
        case b"<":
            raise errors.not_a_model_server(names)
        case b"{":
            return WholeJson()
        case _:
            return EventStream()


async def read_answer(
    asked: AsyncGenerator[Waiting | Remark | ResponseBytes],
    answer: Answer,
    *,
    names: errors.Names,
    secrets: Secrets,
) -> AsyncGenerator[StreamEvent]:
    """Yield one answer: notes until it begins, then the events from its bytes.

    The clocks do not run while the caller is busy.
    """
    with errors.redacting(secrets):
        async with aclosing(asked):
            async for step in asked:
                if isinstance(step, ResponseBytes):
                    pieces = step
                    break
                yield step
            data = beginning = await pieces.first()
            reader = reader_for(data, names)
            while data:
                began = monotonic()
                for at in range(0, len(data), MAX_SLICE):
                    if monotonic() - began > MAX_BLOCKING:
                        await asyncio.sleep(0)
                        began = monotonic()
                    for event in answer.read(reader.feed(data[at : at + MAX_SLICE])):
                        yield event
                if reader.done:
                    break
                reader.is_rest = pieces.heed(answer)
                data = await pieces.next()
            if pieces.problem is None and answer.progress == 0:
                pieces.problem = _not_a_stream(beginning)
            for event in _end(pieces.problem, answer, reader):
                yield event
            await pieces.drain()


def _not_a_stream(beginning: bytes) -> ModelError | None:
    if _STREAM.match(beginning):
        return None
    return errors.malformed(plain(beginning.decode(errors="replace")))


def _end(
    problem: ModelError | None, answer: Answer, reader: EventStream | WholeJson
) -> Iterator[StreamEvent]:
    if problem is not None:  # what came before it still counts
        yield from answer.flush()
        raise problem
    yield from answer.read(reader.end())
    yield from answer.end(reader.done)
