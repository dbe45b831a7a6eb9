"""What is asked of a renderer and what comes of it, in words that cross from process to process."""

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
"""Characters. A longer text is shown as it is."""
SECONDS, PER_CHARACTER = 0.2, 0.05 / 10_000
"""Of a processor's time, for a text."""
CODE_SECONDS = 0.1
"""Likewise for a code block, with as much a character."""
HOUR = 3600.0
"""Seconds for which a text that took more is shown plain."""
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Block:
    """A block of Markdown that is finished: what comes later does not change it."""

    html: str
    end: int
    """Length of the text, in code points, up to the block that follows."""


@dataclass(frozen=True)
class Job:
    """A text to be rendered."""

    kind: Literal["text", "reply", "blocks"]
    text: str
    is_whole: bool = True
    """Of `blocks`: nothing is added to it any more."""

    @property
    def digest(self) -> bytes:
        words = f"{self.kind} {self.is_whole} {self.text}"
        return blake2b(words.encode(errors="surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True)
class Outcome:
    """How a text is shown."""

    html: str = ""
    blocks: tuple[Block, ...] | None = None
    """Of a job for them; None: it is to be shown as it is."""
    cpu: float = 0.0
    """Seconds of a processor that it took."""
    until: float | None = None
    """It is shown so until then, as it took too long; None: for good. 0: it could not be tried."""

    @classmethod
    def plain(cls, job: Job, *, until: float, cpu: float = 0.0) -> Self:
        """The text as it is."""
        return cls(html="" if job.kind == "blocks" else plain(job.text), cpu=cpu, until=until)


def seconds_for(text: str) -> float:
    """Of a processor's time that a text may take; all its code blocks together may, too."""
    return SECONDS + PER_CHARACTER * len(text)


def seconds_for_code(code: str) -> float:
    """Likewise for one code block."""
    return CODE_SECONDS + PER_CHARACTER * len(code)


def is_over(until: float) -> bool:
    """Whether it is time to try again. The wall clock may have been set since."""
    return not time() < until <= time() + HOUR


def plain(text: str) -> str:
    """A text as it is, and whole."""
    return f'<div class="plain" dir="auto">{escape(text)}</div>'


def send(connection: socket.socket, message: object) -> None:
    data = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> Any:
    """Raises `EOFError` when the other side has ended."""
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
