"""B, the bare relay: a Channels consumer on our Daphne server that only relays.

It has no database and no turns. It reads the model's stream with aiohttp, parses the bytes by hand
and sends a frame for each token. Talos's overhead is measured against it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
import orjson
from django.conf import settings

from talos_site.server.run import Server

settings.configure()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402

from talos_site.management.commands.serve import address_of, bind  # noqa: E402


class Engine:
    """The shared connection pool."""

    session: aiohttp.ClientSession

    async def start(self) -> None:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def drain(self) -> None:
        await self.session.close()


class Relay(AsyncWebsocketConsumer):
    """A connection on which each message is a request to the model."""

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        self.task = asyncio.create_task(self.answer(json.loads(text_data or "")["text"]))

    async def answer(self, text: str) -> None:
        messages = [{"role": "user", "content": text}]
        body = {"model": "bench", "messages": messages, "stream": True}
        url = f"{sys.argv[1]}v1/chat/completions"
        rest = b""
        async with engine.session.post(url, json=body) as response:
            async for data in response.content.iter_any():
                lines = (rest + data).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    if line.startswith(b"data: {"):
                        await self.relay(orjson.loads(line[6:]))
        await self.send('{"type":"done","status":"completed"}')

    async def relay(self, chunk: dict[str, Any]) -> None:
        choices = chunk["choices"]
        if choices and (content := choices[0]["delta"].get("content")):
            await self.send(orjson.dumps({"type": "delta", "content": content}).decode())


engine = Engine()
if __name__ == "__main__":
    listener = bind("127.0.0.1", 0)
    ready = f"ready at {address_of(listener)}"
    server = Server(Relay.as_asgi(), listener, engine, drain_seconds=1)
    server.serve(lambda: print(ready, flush=True))
