"""A cheap WebSocket client, so that the load generator itself is not measured.

It is a bare protocol; its masking key is zero, which leaves the bytes unchanged. It records what
a figure needs as it arrives: the time, the number of tokens, and the age of each one.
"""

from __future__ import annotations

import asyncio
import re
import resource
import time
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

STAMP = re.compile(rb"\d{18}(?= )")
HANDSHAKE = (
    b"GET /api/chat/ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SECONDS = 60.0
"""The longest time to wait for an answer."""


def allow_many() -> None:
    """Allow enough open connections for a crowd, here and in processes that are started later."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.tokens = 0
        self._cut = b""
        """The beginning of a token whose rest has not arrived."""
        self.ages: list[int] = []
        """Nanoseconds from the model's write to our read, for each token."""
        self.asked_at = 0
        self.first_at = 0
        self.begun = asyncio.Event()
        """Set when the first piece of the answer has arrived."""
        self._data = b""

    @classmethod
    async def open(cls, address: str) -> Self:
        place = urlsplit(address)
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_connection(cls, str(place.hostname), place.port or 80)
        client.transport = transport
        transport.write(HANDSHAKE % place.netloc.encode())
        await asyncio.wait_for(client.opened, SECONDS)
        return client

    transport: asyncio.Transport

    def close(self) -> None:
        self.transport.abort()

    def ask(self, text: str) -> None:
        """Send a message, whose end resolves `done`."""
        self.done = asyncio.get_running_loop().create_future()
        self.begun.clear()
        self.asked_at = time.monotonic_ns()
        self.send({"action": "send", "text": text})

    async def say(self, text: str) -> dict[str, Any]:
        """Send a message and wait for its end."""
        self.ask(text)
        return await asyncio.wait_for(self.done, SECONDS)

    def send(self, frame: dict[str, Any]) -> None:
        self._write(1, orjson.dumps(frame))

    def _write(self, opcode: int, payload: bytes) -> None:
        assert len(payload) < 126
        self.transport.write(bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.opened, self.done):
            if not future.done():
                future.cancel()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._data + data if self._data else data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._data = head
                return
            assert b" 101 " in head[:20], head
            self.opened.set_result(None)
        at = 0
        while (found_at := _frame(data, at)) is not None:
            start, end = found_at
            self._frame(data[at] & 15, data[start:end], now)
            at = end
        self._data = data[at:]

    def _frame(self, opcode: int, payload: bytes, now: int) -> None:
        if opcode == 9:
            self._write(10, payload)
        elif payload.startswith(b'{"type":"delta"'):
            # a delta may end within a token
            text = self._cut + payload.rpartition(b'"content":"')[2]
            stamps = STAMP.findall(text)
            self._cut = text.rpartition(b" ")[2].removesuffix(b'"}')
            self.tokens += len(stamps)
            if not self.begun.is_set():
                self.first_at = now
                self.begun.set()
            self.ages += [now - int(stamp) for stamp in stamps]
        elif payload.startswith(b'{"type":"done"') and not self.done.done():
            self._cut = b""
            self.done.set_result(orjson.loads(payload))


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at `at` starts and ends, or None if it is incomplete."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        size, start = int.from_bytes(data[start : start + width], "big"), start + width
    return (start, start + size) if start + size <= len(data) else None
