"""From the bytes of one OpenAI-style response to our stream events, under two time limits.

Sits between a connection, which somebody else opens and closes, and `chunks.Answer`. Written for
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
from chat.llm.failures import failures
from chat.llm.failures.details import reason
from chat.llm.failures.redaction import Secrets, plain
from chat.llm.stream.chunks import Answer
from chat.llm.stream.patience import Patience
from chat.llm.stream.sse import MAX_EVENT, EventStream, decode

AFTER_FINISH = 5.0  # seconds for the usage and [DONE], once the answer itself is complete
_STREAM = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:[:{\[]|data|event|id|retry|$|[deir][a-z]{0,4}$)")
"""How a body begins that may be an answer; torn anywhere."""
MOST_AT_ONCE = 16 * 1024  # bytes, before a look at the clock
LONGEST = 0.002  # seconds, after which others have their turn: thousands of events may come at once
AFTER_DONE = 0.25  # seconds for the body's last bytes: with them the connection can be used again


class Pieces:
    """The bytes of a response as they come."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], patience: Patience) -> None:
        """`read` gives what has come, at least one byte; at the end none."""
        self._read = read
        self._patience = patience
        self.problem: ModelError | None = None
        """Why nothing more came, where that is no end."""
        self._is_optional = False
        self._progress = 0

    def heed(self, answer: Answer) -> bool:
        """What the model wrote since the last time sets how long more is waited for.

        True: the answer is whole, and nothing more is needed.
        """
        before, self._progress = self._progress, answer.progress
        grown = self._progress > before
        if grown:
            self._patience.begun()
        # Some servers say the end before they begin, or go on after it: more words renew the wait.
        if grown if self._is_optional else answer.reason is not None and answer.is_finished:
            self._finished(AFTER_FINISH)
        return self._is_optional

    def _finished(self, limit: float) -> None:
        """Nothing more is needed: silence and a cut connection are an end like any other.

        It comes in so many seconds at most, whatever the server sends.
        """
        self._is_optional = True
        self._patience.end_in(limit)

    async def first(self) -> bytes:
        """Past the blanks: they say nothing yet of what it is."""
        data = await self.next()
        while data.isspace():
            data = await self.next()
        return data

    async def next(self) -> bytes:
        """Empty at the end, and where there is a problem."""
        try:
            return await self._patience.wait(self._read())
        except ModelError as error:
            self._fail(error)
        # Broad: whatever a transport raises while a body is read, the answer is cut off.
        except Exception as error:
            failures.note(error)
            self._fail(failures.truncated(reason(error)))
        return b""

    def _fail(self, problem: ModelError) -> None:
        if not self._is_optional:
            self.problem = problem

    async def drain(self) -> None:
        """To the end, which comes soon: then the connection can be used again."""
        self._finished(AFTER_DONE)
        while await self.next():
            pass


class WholeJson:
    """The reader for a server that answers without a stream: one object, at the end."""

    def __init__(self) -> None:
        self.done = self.is_rest = False
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        self._body += data
        if len(self._body) > MAX_EVENT:
            raise failures.too_large()
        yield from ()

    def end(self) -> Iterator[dict[str, Any]]:
        yield decode(bytes(self._body))
        self.done = True  # a whole object is a whole answer


def reader_for(beginning: bytes, names: failures.Names) -> EventStream | WholeJson:
    match beginning.lstrip()[:1]:
        case b"<":
            raise failures.not_a_model_server(names)
        case b"{":
            return WholeJson()
        case _:
            return EventStream()


async def read_answer(
    asked: AsyncGenerator[Waiting | Remark | Pieces],
    answer: Answer,
    *,
    names: failures.Names,
    secrets: Secrets,
) -> AsyncGenerator[StreamEvent]:
    """One answer: what is told until it begins, then what its bytes say.

    The clocks do not run while the caller is busy.
    """
    with failures.without(secrets):
        async with aclosing(asked):
            async for step in asked:
                if isinstance(step, Pieces):
                    pieces = step
                    break
                yield step
            data = beginning = await pieces.first()
            reader = reader_for(data, names)
            while data:
                began = monotonic()
                for at in range(0, len(data), MOST_AT_ONCE):
                    if monotonic() - began > LONGEST:
                        await asyncio.sleep(0)
                        began = monotonic()
                    for event in answer.read(reader.feed(data[at : at + MOST_AT_ONCE])):
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
    return failures.malformed(plain(beginning.decode(errors="replace")))


def _end(
    problem: ModelError | None, answer: Answer, reader: EventStream | WholeJson
) -> Iterator[StreamEvent]:
    if problem is not None:  # what came before it is told all the same
        yield from answer.held()
        raise problem
    yield from answer.read(reader.end())
    yield from answer.end(reader.done)
