"""Promises 1 and 3 while PostgreSQL restarts, crashes or refuses to write, in mid-answer.

Each test has its own PostgreSQL server, some behind a proxy that swallows the answer to a COMMIT,
as a network that breaks at the worst moment does.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from django.db import connection

from tests.chaos.answers import paced, say_until_it_works, words
from tests.chaos.cluster import Cluster, cluster, why_not
from tests.chaos.sizes import sizes
from tests.support.client import Chat, kind, text, without_gaps
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Call, Gate
from tests.support.needs import lacking
from tests.support.servers import Model, OpenChat, OwnServer, environment

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL only"),
]
STORES_A_MESSAGE = 'INSERT INTO "chat_message"'
"""In what a person does, and in none of the poller's own transactions."""
COUNT = 150


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    if reason := why_not():
        lacking(reason)
    with cluster() as server:
        yield server


@pytest.fixture
def server(
    tmp_path: Path, collected: None, model_server: ModelServer, postgres: Cluster
) -> Iterator[OwnServer]:
    own = OwnServer(tmp_path, {**environment(model_server), "DATABASE_URL": postgres.url})
    own.manage("migrate", "--verbosity=0")
    yield own
    own.kill()


async def began(chat: Chat, model: Model) -> Gate:
    """Start an answer whose last word arrives when the gate is opened."""
    last = Gate()
    model.reply(*paced(COUNT - 1, every=0.01), last, words(COUNT)[-1])
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    return last


async def is_whole(chat: Chat, reader: Chat) -> None:
    """Check that the answer ended, was sent once and is stored as it was sent."""
    assert (await chat.until("done"))[-1]["status"] == "completed"
    assert text(chat.all) == "".join(words(COUNT))
    assert without_gaps(chat.all)
    answer = (await reader.resume(chat.session_id))["messages"][-1]
    assert (answer["content"], answer["status"]) == (text(chat.all), "completed")


async def others_are_put_off(address: str, connect: OpenChat) -> None:
    """Check that a page and a new connection are told to try again, not that Talos failed."""
    newcomer = await connect(address)
    with pytest.raises(ConnectionError, match="1013"):
        await newcomer.next()
    async with aiohttp.ClientSession() as http, http.get(f"{address}/api/chat/sessions") as page:
        assert (page.status, page.headers["Retry-After"]) == (503, "5")
        assert "does not answer" in await page.text()


@pytest.mark.promise(1, 3)
@sizes("times", sample=1, full=6)
async def test_it_restarts_or_crashes(
    server: OwnServer,
    connect: OpenChat,
    model: Model,
    postgres: Cluster,
    rng: random.Random,
    times: int,
) -> None:
    address = server.start()
    for number in range(times):
        chat, other, reader = [await connect(address) for _ in range(3)]
        last = await began(chat, model)
        mode = ("immediate", "fast")[number % 2]
        await asyncio.to_thread(postgres.stop, mode)
        last.open()
        sending = asyncio.create_task(say_until_it_works(other, "hi", model="echo"))
        await others_are_put_off(address, connect)
        await asyncio.sleep(rng.uniform(0, 2))
        await asyncio.to_thread(postgres.start)
        frames, _ = await sending
        assert text(frames) == "You said: hi"
        assert text(await other.say("again", model="echo")) == "You said: again"
        await is_whole(chat, reader)
    status, log = server.talos.stop()
    assert status == 0
    assert "Traceback" not in log, log


@pytest.mark.promise(1, 3)
async def test_it_is_read_only_for_a_while(
    server: OwnServer, connect: OpenChat, model: Model, postgres: Cluster
) -> None:
    address = server.start()
    chat, other, reader = [await connect(address) for _ in range(3)]
    last = await began(chat, model)
    with postgres.read_only():
        error = "does not answer"
        while "does not answer" in error:  # the first one finds the connection broken
            error = (await other.say("hi", model="echo"))[0]["content"]
        assert "read-only" in error
        assert (await reader.resume(chat.session_id))["turn"] is not None
        last.open()
    await say_until_it_works(other, "hi", model="echo")
    await is_whole(chat, reader)


class Proxy:
    """A proxy in front of PostgreSQL. `swallow` lets one COMMIT through, but not its answer."""

    def __init__(self, port: int) -> None:
        self.swallowed = 0
        self.is_away = False
        """Let no new connection through."""
        self._target = port
        self._word: bytes | None = None
        self._is_away_then = False
        self._relays: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def swallow(self, word: str = "", *, then_away: bool = False) -> None:
        """Swallow the answer to the next COMMIT, or to that of the next transaction with this word."""
        self._word, self._is_away_then = word.encode(), then_away

    async def close(self) -> None:
        self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self._relays.add(asyncio.create_task(self._relay(client, to_client)))

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self.is_away:
            to_client.close()
            return
        postgres, to_postgres = await asyncio.open_connection("127.0.0.1", self._target)
        is_deaf = asyncio.Event()
        back = asyncio.create_task(self._copy_back(postgres, to_client, is_deaf))
        is_meant = False
        try:
            while not is_deaf.is_set() and (data := await client.read(65536)):
                is_meant |= self._word is not None and self._word in data
                if b"COMMIT" in data:
                    if is_meant and self._word is not None:
                        self._word, self.is_away = None, self._is_away_then
                        is_deaf.set()
                    is_meant = False
                to_postgres.write(data)
            if is_deaf.is_set():
                await back
                self.swallowed += 1
        finally:
            back.cancel()
            for writer in (to_postgres, to_client):
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def _copy_back(
        self,
        postgres: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        is_deaf: asyncio.Event,
    ) -> None:
        while (data := await postgres.read(65536)) and not is_deaf.is_set():
            to_client.write(data)


@pytest.fixture
async def proxy(postgres: Cluster) -> AsyncIterator[Proxy]:
    made = Proxy(postgres.port)
    yield made
    await made.close()


@pytest.mark.promise(1, 3)
@sizes("times", sample=5, full=50)
async def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    server: OwnServer, connect: OpenChat, model: Model, postgres: Cluster, proxy: Proxy, times: int
) -> None:
    port = await proxy.start()
    url = postgres.url.replace(str(postgres.port), str(port))
    address = await asyncio.to_thread(server.start, DATABASE_URL=url)
    chat, reader = await connect(address), await connect(address)
    for _ in range(times):
        gate, last = Gate(), Gate()
        model.reply("one ", gate, "two ", last)
        before = len(chat.all)
        await chat.send("send", text="go", model=model.id)
        await chat.until("delta")
        proxy.swallow()
        gate.open()
        await chat.until("delta")
        proxy.swallow()
        last.open()
        assert (await chat.until("done"))[-1]["status"] == "completed"
        frames = chat.all[before:]
        assert text(frames) == "one two "
        assert without_gaps(frames)
        assert sum(kind(frame) == "done" for frame in frames) == 1
        answer = (await reader.resume(chat.session_id))["messages"][-1]
        assert (answer["content"], answer["status"]) == ("one two ", "completed")
    assert proxy.swallowed == 2 * times


@pytest.fixture
async def far_off(server: OwnServer, postgres: Cluster, proxy: Proxy) -> str:
    """A server that reaches PostgreSQL through the proxy."""
    url = postgres.url.replace(str(postgres.port), str(await proxy.start()))
    return await asyncio.to_thread(server.start, DATABASE_URL=url)


@pytest.mark.promise(1, 5)
async def test_what_a_person_did_is_told_as_it_was_stored(
    far_off: str, connect: OpenChat, model: Model, proxy: Proxy
) -> None:
    """Each action's COMMIT loses its answer: none is refused, and none is repeated."""
    chat, reader = await connect(far_off), await connect(far_off)

    async def answered(action: str, word: str, **fields: object) -> list[dict[str, object]]:
        proxy.swallow(word)
        await chat.send(action, **fields)
        frames = await chat.until("done")
        assert (kind(frames[-1]), frames[-1]["status"]) == ("done", "completed"), frames
        return frames

    proxy.swallow('INSERT INTO "chat_conversation"')
    await chat.new(model="echo")
    await answered("send", STORES_A_MESSAGE, text="one", client_id=(key := uuid4().hex))
    await answered("regenerate", STORES_A_MESSAGE)
    said = (await reader.resume(chat.session_id))["messages"]
    await answered("edit", STORES_A_MESSAGE, message_id=said[0]["id"], text="two")
    model.reply(Call("write_file", '{"path": "x.txt", "content": "x"}'))
    model.reply("written")
    await chat.send("send", text="write", model=model.id)
    request = (await chat.until("tool_approval_request"))[-1]
    proxy.swallow("chat_toolcall")
    await chat.send("approve_tool", call_id=request["data"]["call_id"], approved=True)
    assert (await chat.until("done"))[-1]["status"] == "completed"
    assert proxy.swallowed == 5
    assert not [frame for frame in chat.all if frame["type"] == "error"]
    said = (await reader.resume(chat.session_id))["messages"]
    assert [message["content"] for message in said] == ["two", "You said: two", "write", "written"]
    (created,) = [frame for frame in chat.all if frame.get("data", {}).get("client_id") == key]
    assert created["event"] == "message_created"


@pytest.mark.promise(1)
@pytest.mark.parametrize("is_first", [True, False])
async def test_what_cannot_be_known_yet_is_not_told_as_a_failure(
    far_off: str, connect: OpenChat, proxy: Proxy, is_first: bool
) -> None:
    chat = await connect(far_off)
    if not is_first:
        await chat.new(model="echo")
    before = len(chat.all)
    proxy.swallow(STORES_A_MESSAGE, then_away=True)
    await chat.send("send", text="hi", model="echo", client_id=uuid4().hex)
    error = (await chat.until("error"))[-1]
    assert "before it said whether this was stored" in error["content"]
    proxy.is_away = False
    assert (await chat.until("done"))[-1]["status"] == "completed"
    frames = chat.all[before:]
    assert sum(kind(frame) == "done" for frame in frames) == 1
    assert "Nothing was changed" not in str(frames)
    said = (await chat.resume(chat.session_id))["messages"]
    assert [message["content"] for message in said] == ["hi", "You said: hi"]
