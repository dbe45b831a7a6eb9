"""A cheap model server: OpenAI's stream on a bare protocol, in its own process.

The last message says what to answer: "KEY paced COUNT" gives COUNT tokens at 50 a second, "KEY burst
COUNT" the same as fast as possible. Each token is the time it was written (`time.monotonic_ns`).
`GET /closed` returns the times at which clients left in mid-answer, by KEY.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import Any, cast

import orjson
import uvloop

PACE = 0.02
"""Seconds between the tokens of a paced answer."""
AT_ONCE = 16
"""The number of tokens of a burst that are written together."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
FRAME = (
    b'{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"bench","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{%s},'
    b'"logprobs":null,"finish_reason":%s}]}'
)
USAGE = b'{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}'
_numbers = count()
closed: dict[str, int] = {}


def event(data: bytes) -> bytes:
    line = b"data: " + data + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(line), line)


def token() -> bytes:
    return event(FRAME % (b'"content":"%018d "' % time.monotonic_ns(), b"null"))


END = event(FRAME % (b"", b'"stop"')) + event(USAGE) + event(b"[DONE]") + b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client, with one answer at a time."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.data = b""
        self.key = ""
        self.left = 0
        self.timer: asyncio.Handle | None = None
        self.may_write = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's type

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
            closed[self.key] = time.monotonic_ns()

    def pause_writing(self) -> None:
        self.may_write = False

    def resume_writing(self) -> None:
        self.may_write = True

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        if len(body) >= length:
            self.data = body[length:]
            self.answer(head.split(b" ", 2)[1], body[:length])

    def answer(self, path: bytes, body: bytes) -> None:
        if path == b"/closed":
            self.json(closed)
        elif path == b"/v1/models":
            self.json({"data": [{"id": "bench"}]})
        else:
            self.stream(orjson.loads(body)["messages"])

    def json(self, value: Any) -> None:
        body = orjson.dumps(value)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)

    def stream(self, messages: list[dict[str, str]]) -> None:
        self.transport.write(HEAD)
        if messages[0]["content"].startswith("Write a title"):
            self.transport.write(event(FRAME % (b'"content":"A title"', b"null")) + END)
            return
        self.key, kind, number = messages[-1]["content"].split()
        self.left = int(number)
        if kind == "burst":
            self.timer = self.loop.call_soon(self.burst)
        else:
            # Stagger streams that are requested together.
            self.next = self.loop.time() + next(_numbers) * 7 % 20 / 1000
            self.timer = self.loop.call_at(self.next, self.paced)

    def paced(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.end()
            return
        self.transport.write(token())
        self.next += PACE
        self.timer = self.loop.call_at(self.next, self.paced)

    def burst(self) -> None:
        if self.may_write:
            number = min(AT_ONCE, self.left)
            self.left -= number
            self.transport.write(b"".join([token() for _ in range(number)]))
            if not self.left:
                self.end()
                return
            self.timer = self.loop.call_soon(self.burst)
        else:
            self.timer = self.loop.call_later(0.001, self.burst)

    def end(self) -> None:
        self.timer = None
        self.transport.write(END)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(
        Connection, "127.0.0.1", 0, backlog=1024
    )
    print(f"ready at http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
