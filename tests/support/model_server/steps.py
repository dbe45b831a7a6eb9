"""The steps of a scripted reply. A plain string is one piece of text.

A reply ends properly (finish_reason, [DONE]) unless its steps end it otherwise. If `Status` or
`Silence` comes first, no headers are sent.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Letters:
    """Text, in one piece per code point."""

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
    """Usage, sent after the finish_reason in a chunk without choices."""

    prompt: int
    completion: int
    cached: int = 0


@dataclass(frozen=True)
class Finish:
    """A finish_reason other than the usual one, followed by [DONE]."""

    reason: str


@dataclass(frozen=True)
class Chunk:
    """Any object, sent as one event."""

    body: dict[str, Any]


@dataclass(frozen=True)
class Raw:
    """Bytes, sent as they are."""

    data: bytes


@dataclass(frozen=True)
class Flood:
    """The same piece of text, many times."""

    text: str
    times: int


@dataclass(frozen=True)
class Status:
    """An HTTP error instead of an answer."""

    status: int
    body: str = '{"error": {"message": "scripted", "type": "scripted"}}'
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class Headers:
    """The start of the response, without any content."""


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Silence:
    """Silence until the client leaves."""


@dataclass(frozen=True)
class Cut:
    """An abrupt end of the connection."""


@dataclass(frozen=True)
class End:
    """A proper end of the HTTP response, without finish_reason and [DONE]."""


class Gate:
    """Holds the reply until the test opens it, from any thread or loop."""

    def __init__(self) -> None:
        self._opened: Future[None] = Future()

    def open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    async def wait(self) -> None:
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
