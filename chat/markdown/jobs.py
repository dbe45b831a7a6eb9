"""Jobs for the renderer and their outcomes, in a form that crosses between processes."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from time import time
from typing import Any, Literal, Self

MAX_MARKDOWN = 200_000
"""Characters. A longer text is shown as plain text."""
SECONDS, PER_CHARACTER = 0.2, 0.05 / 10_000
"""Processor seconds for a text."""
CODE_SECONDS = 0.1
"""Processor seconds for a code block, and for each of its characters."""
HOUR = 3600.0
"""Seconds for which a text that took more is shown as plain text."""
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Block:
    """A finished block of Markdown: later text does not change it."""

    html: str
    end: int
    """Length of the text up to the next block, in code points."""


@dataclass(frozen=True)
class Job:
    """A text to be rendered."""

    kind: Literal["text", "reply", "blocks"]
    text: str
    is_whole: bool = True
    """For `blocks`: the text no longer grows."""

    @property
    def digest(self) -> bytes:
        words = f"{self.kind} {self.is_whole} {self.text}"
        return blake2b(words.encode(errors="surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True)
class Outcome:
    """How a text is shown."""

    html: str = ""
    blocks: tuple[Block, ...] | None = None
    """For a job of that kind; None: the text is shown as plain text."""
    cpu: float = 0.0
    """Processor seconds that it took."""
    until: float | None = None
    """Set if it took too long: valid until then. None: valid for good. 0: it could not be tried."""

    @classmethod
    def plain(cls, job: Job, *, until: float, cpu: float = 0.0) -> Self:
        """Make the outcome that shows a text as plain text."""
        return cls(html="" if job.kind == "blocks" else plain(job.text), cpu=cpu, until=until)


def seconds_for(text: str) -> float:
    """Return the processor seconds that a text may take; its code blocks together may take as much."""
    return SECONDS + PER_CHARACTER * len(text)


def seconds_for_code(code: str) -> float:
    """Return the processor seconds that one code block may take."""
    return CODE_SECONDS + PER_CHARACTER * len(code)


def is_over(until: float) -> bool:
    """Whether it is time to try again. The wall clock may have been set meanwhile."""
    return not time() < until <= time() + HOUR


def plain(text: str) -> str:
    """Return all of a text as plain text in HTML."""
    return f'<div class="plain" dir="auto">{escape(text)}</div>'


def send(connection: socket.socket, message: object) -> None:
    data = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> Any:
    """Receive a message. Raises `EOFError` if the other side has ended."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return json.loads(_exactly(connection, length))


def _exactly(connection: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view, got = memoryview(data), 0
    while got < length:
        size = connection.recv_into(view[got:])
        if not size:
            raise EOFError
        got += size
    return data
