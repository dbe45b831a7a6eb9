"""P, the cheapest possible relay in Python: protocols on sockets, and nothing else.

It only shows that B is a fair baseline. It knows just enough WebSocket and HTTP to talk to the
load generator and the model server.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MODEL = urlsplit(sys.argv[1])


class Upstream(asyncio.Protocol):
    """One request to the model, on its own connection."""

    def __init__(self, client: Client, text: str) -> None:
        self.client = client
        self.rest = b""
        messages = [{"role": "user", "content": text}]
        body = orjson.dumps({"model": "bench", "messages": messages, "stream": True})
        self.request = (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nContent-Length: %d\r\n\r\n%s"
        ) % (len(body), body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's type
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            if line.startswith(b"data: {"):
                choices = orjson.loads(line[6:])["choices"]
                if choices and (content := choices[0]["delta"].get("content")):
                    self.client.tell(orjson.dumps({"type": "delta", "content": content}))
            elif line.startswith(b"data: [DONE]"):
                self.client.tell(b'{"type":"done","status":"completed"}')
                self.transport.close()


class Client(asyncio.Protocol):
    """One WebSocket. Each message is a request to the model."""

    def __init__(self) -> None:
        self.data = b""
        self.is_open = False
        self.tasks: set[asyncio.Task[object]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's type

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.is_open and b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            self.upgrade(head)
        while self.is_open and len(self.data) >= 6 and len(self.data) >= self.data[1] - 128 + 6:
            size = self.data[1] - 128  # the load generator's messages are short
            mask, payload = self.data[2:6], self.data[6 : 6 + size]
            opcode, self.data = self.data[0] & 15, self.data[6 + size :]
            if opcode == 1:
                self.ask(bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def upgrade(self, head: bytes) -> None:
        key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324  # as in RFC 6455
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
        )
        self.is_open = True

    def ask(self, message: bytes) -> None:
        upstream = Upstream(self, orjson.loads(message)["text"])
        loop = asyncio.get_running_loop()
        connecting = loop.create_connection(lambda: upstream, str(MODEL.hostname), MODEL.port or 80)
        task: asyncio.Task[object] = loop.create_task(connecting)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def tell(self, frame: bytes) -> None:
        self.transport.write(bytes((0x81, len(frame))) + frame)  # ours are below 126 bytes


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Client, "127.0.0.1", 0, backlog=1024)
    print(f"ready at http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
