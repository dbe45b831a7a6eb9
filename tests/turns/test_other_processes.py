"""Promise 9: every open page hears of a command's writes within two seconds."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support.client import kind
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Silence
from tests.support.processes import Talos
from tests.support.servers import Model, OpenChat, OwnServer, environment

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[OwnServer]:
    """A server for this file, whose data commands can reach."""
    data = tmp_path_factory.mktemp("others") / "data"
    with fresh_database(data) as variables:
        server = OwnServer(data, {**environment(model_server), **variables})
        server.start()
        yield server
        server.kill()


def call(server: OwnServer, service: str) -> float:
    """Call a service as the owner, in another process. Returns the time when it ended."""
    ask = f"from chat import services; from chat.access.owner import local_owner; owner = local_owner(); services.{service}"
    server.manage("shell", "--no-imports", "-c", ask)
    return time.monotonic()


async def in_time(attempt: Callable[[], Awaitable[float]]) -> None:
    """Allow several attempts: a slow server is always late, a busy machine only once."""
    took = await attempt()
    for _ in range(2):
        if took >= 2:
            took = await attempt()
    assert took < 2


@pytest.mark.promise(9)
async def test_a_stop_by_another_process_cancels_the_answer(
    server: OwnServer, connect: OpenChat, model: Model
) -> None:
    chat = await connect(server.talos.address)

    async def attempt() -> float:
        model.reply("half an answer", Silence())
        session_id = await chat.new(model=model.id)
        await chat.send("send", text="go")
        await chat.until("delta")
        since = call(server, f"cancel(owner, '{session_id}')")
        assert (await chat.until("done"))[-1]["status"] == "cancelled"
        return time.monotonic() - since

    await in_time(attempt)


@pytest.mark.promise(9)
async def test_a_deletion_by_another_process_reaches_every_tab(
    server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = server.talos.address
    chat, elsewhere = await connect(address), await connect(address)

    async def attempt() -> float:
        model.reply("x", Silence())
        session_id = await chat.new(model=model.id)
        await chat.send("send", text="go")
        await chat.until("delta")
        since = call(server, f"delete(owner, '{session_id}')")
        for page in (chat, elsewhere):
            gone = (await page.until("conversation_deleted"))[-1]
            assert gone["data"] == {"session_id": session_id}
        closed = await model.requests[-1].closed()
        await chat.send("resume_session", session_id=session_id)
        assert (await chat.until("error"))[-1]["code"] == "session_not_found"
        return closed - since

    await in_time(attempt)


@pytest.mark.promise(9)
async def test_a_turn_queued_by_another_process_runs(server: OwnServer, connect: OpenChat) -> None:
    chat = await connect(server.talos.address)
    await chat.say("first", model="echo")  # this imports a model's client

    async def attempt() -> float:
        session_id = await chat.new(model="echo")
        question = f"conversation_id='{session_id}', text='hi', default_model='x'"
        since = call(server, f"say(owner, {question})")
        frames = await chat.until("done")
        took = time.monotonic() - since
        assert "message_created" in [kind(frame) for frame in frames]
        assert frames[-1]["status"] == "completed"
        return took

    await in_time(attempt)


async def test_a_second_server_on_the_same_directory_is_refused(server: OwnServer) -> None:
    if "DATABASE_URL" in server.variables:
        pytest.skip("on PostgreSQL several servers may share a directory")
    second = Talos(server.talos.data)
    with pytest.raises(AssertionError, match="Another Talos server uses"):
        second.start(**server.variables)
    second.kill()
