"""Our server, run as a process, with an application and an engine controlled by a test.

Argument: how many seconds the engine drains. The application understands the words below.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from talos_site.server.run import Server  # first: it chooses the event loop

from talos_site.management.commands.serve import address_of, bind  # isort: skip

Send = Callable[[dict[str, Any]], Awaitable[None]]
MIB = "x" * 1024 * 1024


class Engine:
    """Drains by waiting, then closes every socket."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.sockets: set[Send] = set()
        self.drained = asyncio.Event()

    async def start(self) -> None:
        print("started", file=sys.stderr)

    async def drain(self) -> None:
        print("draining", flush=True)
        await asyncio.sleep(self.seconds)
        for send in self.sockets:
            await send({"type": "websocket.close", "code": 1012})
        self.drained.set()


async def page(send: Send) -> None:
    """Respond a moment after the engine has drained."""
    print("asked", flush=True)
    await engine.drained.wait()
    await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"whole"})


async def file(send: Send, *, is_whole: bool) -> None:
    """Send as much as a file of 200 conversations, or fail midway."""
    await send({"type": "http.response.start", "status": 200})
    for _ in range(200):
        await send({"type": "http.response.body", "body": MIB.encode(), "more_body": True})
        if not is_whole:
            raise ValueError("a fault in the middle")
    await send({"type": "http.response.body", "body": b""})


async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
    if scope["type"] == "http":
        if scope["path"] in ("/whole", "/broken"):
            return await file(send, is_whole=scope["path"] == "/whole")
        return await page(send)
    await receive()
    await send({"type": "websocket.accept"})
    engine.sockets.add(send)
    while (message := await receive())["type"] == "websocket.receive":
        match message["text"].split():
            case ["flood", count]:
                for _ in range(int(count)):
                    await send({"type": "websocket.send", "text": MIB})
            case ["sizes", *sizes]:
                for size in sizes:
                    await send({"type": "websocket.send", "text": "x" * int(size)})
                await send({"type": "websocket.send", "bytes": b"bytes"})
                await send({"type": "websocket.close", "code": 4000})
            case ["memory"]:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                await send({"type": "websocket.send", "text": str(peak)})
    engine.sockets.discard(send)


engine = Engine(float(sys.argv[1]))
if __name__ == "__main__":
    listener = bind("127.0.0.1", 0)
    ready = f"Talos is ready at {address_of(listener)}"
    server = Server(application, listener, engine, drain_seconds=10)
    server.serve(lambda: print(ready, flush=True))
