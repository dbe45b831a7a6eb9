"""Promise 2 with clients that never read, clients that send too much, and many clients.

Each costs the server a bounded amount of memory, and no other client waits for them.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from django.db import connection

from tests.chaos.sizes import sizes
from tests.chaos.test_database_trouble import locked
from tests.support.client import Chat, kind, text
from tests.support.model_server.steps import Flood
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="knows no database: tried on SQLite"),
]
MIB = 1024 * 1024
SLOW_COSTS = 20
"""The most MiB that a client that never reads may cost."""


class Memory:
    """A server process's memory, in MiB."""

    def __init__(self, server: OwnServer) -> None:
        self._process = Path(f"/proc/{server.talos.process.pid}")
        (self._process / "clear_refs").write_text("5")  # resets the peak
        self._before = self._read("VmRSS")

    def grown(self) -> float:
        """Return the growth of the peak since then."""
        return self._read("VmHWM") - self._before

    def _read(self, name: str) -> float:
        status = (self._process / "status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0]) / 1024


@pytest.fixture
async def mute(own_server: OwnServer) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection that does not read."""

    def small(address: tuple[object, ...]) -> socket.socket:
        made = socket.socket(address[0], address[1], address[2])  # type: ignore[arg-type]  # aiohttp's
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        return made

    connector = aiohttp.TCPConnector(socket_factory=small)
    url = f"{own_server.talos.address}/api/chat/ws"
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.ws_connect(url, max_msg_size=0) as made,
    ):
        yield made


@pytest.fixture
def server(own_server: OwnServer) -> OwnServer:
    own_server.start()
    return own_server


def transport_of(chat: aiohttp.ClientWebSocketResponse) -> asyncio.Transport:
    http = chat._response.connection
    assert http is not None
    assert isinstance(http.transport, asyncio.Transport)
    return http.transport


async def grow(chat: Chat, model: Model, mib: int) -> None:
    """Let the conversation grow by so much."""
    for _ in range(2 * mib):
        model.reply(Flood("x" * 8 * 1024, 64))
        frames = await chat.say("more", model=model.id)
        assert len(text(frames)) == 512 * 1024


@pytest.mark.promise(2)
@sizes("mib", sample=12, full=64)
async def test_a_client_that_never_reads_is_cut_and_costs_little(
    server: OwnServer,
    connect: OpenChat,
    model: Model,
    mute: aiohttp.ClientWebSocketResponse,
    mib: int,
) -> None:
    chat, other = await connect(server.talos.address), await connect(server.talos.address)
    await chat.resume(await chat.new(), context=0)
    await grow(chat, model, 12)  # caches and arenas have reached their size
    readers = [await connect(server.talos.address) for _ in range(4)]
    for _ in range(2):
        await asyncio.gather(*(reader.resume(chat.session_id) for reader in readers))
    for reader in readers:
        await reader.close()
    memory = Memory(server)
    await grow(chat, model, mib)
    alone = memory.grown()
    memory = Memory(server)
    await mute.send_json({"action": "resume_session", "session_id": chat.session_id})
    while "session_created" not in await mute.receive_str(timeout=10):
        pass  # a title
    transport_of(mute).pause_reading()
    growing = asyncio.create_task(grow(chat, model, mib))
    while not growing.done():
        since = time.monotonic()
        assert text(await other.say("hi", model="echo")) == "You said: hi"
        assert time.monotonic() - since < 2
        await asyncio.sleep(0.1)
    await growing
    assert memory.grown() - alone < SLOW_COSTS
    transport_of(mute).resume_reading()
    received = 0
    while (message := await mute.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
        received += len(message.data)
    assert received < 12 * MIB


async def test_a_client_that_says_more_than_is_answered_is_held_back(
    server: OwnServer, connect: OpenChat, mute: aiohttp.ClientWebSocketResponse
) -> None:
    """The frames wait in their own connection, not in the server's memory."""
    other = await connect(server.talos.address)
    await other.say("hi", model="echo")
    memory = Memory(server)
    with locked(server.talos.data):  # the first one waits, and all the others behind it
        flooding = asyncio.create_task(flood(mute, 100))
        for _ in range(2):
            await asyncio.sleep(0.5)
            since = time.monotonic()
            await other.nothing_more("title", "conversation_changed")
            assert time.monotonic() - since < 3
        assert not flooding.done()
        assert memory.grown() < SLOW_COSTS
    await flooding
    refused = 0
    while refused < 100:
        refused += (await mute.receive_json(timeout=10)).get("code") == "unknown_action"


async def flood(chat: aiohttp.ClientWebSocketResponse, times: int) -> None:
    await chat.send_json({"action": "send", "text": "hi", "model": "echo"})
    for _ in range(times):
        await chat.send_json({"action": "dance", "like": "x" * (MIB - 1000)})


@pytest.mark.promise(2, 9)
@sizes("count", sample=100, full=1000)
async def test_idle_connections_cost_little_and_all_hear(
    server: OwnServer, connect: OpenChat, model: Model, count: int
) -> None:
    chat = await connect(server.talos.address)
    await chat.say("warm", model="echo")
    memory = Memory(server)
    idle = [await connect(server.talos.address) for _ in range(count)]
    assert memory.grown() < 10 + count * 0.1
    since = time.monotonic()
    session_id = await chat.new(model=model.id)
    assert text(await chat.say("hi")) == "You said: hi"
    assert time.monotonic() - since < 2
    titles = await asyncio.gather(*(page.title_of(session_id) for page in idle))
    assert set(titles) == {"A scripted title"}
    await asyncio.gather(*(page.nothing_more("title", "conversation_changed") for page in idle))
    assert not any(kind(frame) == "delta" for page in idle for frame in page.all)
