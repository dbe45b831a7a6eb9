"""What a scripted reply is made of. A plain string is one piece of text.

A reply is ended properly (finish_reason, [DONE]) unless its steps end it some other way. `Status`
and `Silence` before any other step mean: no headers either.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Letters:
    """Text in one piece per code point."""

    text: str


@dataclass(frozen=True)
class Think:
    """A piece of visible reasoning."""

    text: str


@dataclass(frozen=True)
class Call:
    """A tool call, its arguments in fragments of `every` characters."""

    name: str
    arguments: str = "{}"
    call_id: str | None = "call_1"
    index: int | None = 0
    every: int = 5


@dataclass(frozen=True)
class Tokens:
    """Usage: sent after the finish_reason, in a chunk without choices."""

    prompt: int
    completion: int
    cached: int = 0


@dataclass(frozen=True)
class Finish:
    """A finish_reason other than the usual one, followed by [DONE]."""

    reason: str


@dataclass(frozen=True)
class Chunk:
    """Any object as one event."""

    body: dict[str, Any]


@dataclass(frozen=True)
class Raw:
    """Bytes as they are."""

    data: bytes


@dataclass(frozen=True)
class Flood:
    """The same piece of text many times."""

    text: str
    times: int


@dataclass(frozen=True)
class Status:
    """An HTTP error in place of an answer."""

    status: int
    body: str = '{"error": {"message": "scripted", "type": "scripted"}}'
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class Headers:
    """Begin the response, with nothing in it yet."""


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Silence:
    """Nothing more, until the client leaves."""


@dataclass(frozen=True)
class Cut:
    """The connection is torn."""


@dataclass(frozen=True)
class End:
    """The response ends, as HTTP goes properly, without finish_reason and [DONE]."""


class Gate:
    """Holds the reply until the test opens it, from whatever thread or loop."""

    def __init__(self) -> None:
        self._opened: Future[None] = Future()

    def open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    async def passed(self) -> None:
        await asyncio.shield(asyncio.wrap_future(self._opened))


Step = (
    str
    | Letters
    | Think
    | Call
    | Tokens
    | Finish
    | Chunk
    | Raw
    | Flood
    | Status
    | Headers
    | Pause
    | Silence
    | Cut
    | End
    | Gate
)
