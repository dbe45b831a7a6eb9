"""A server that stops or dies: nothing that a client saw is lost, repeated or run twice."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.client import SECONDS, Frame, kind, text
from tests.support.model_server.steps import Gate, Silence
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio


async def settled(connect: OpenChat, address: str, session_id: str, client_id: str) -> Frame:
    """Wait for the end of the turn with that `client_id`, and return the conversation."""
    chat = await connect(address)
    snapshot = await chat.resume(session_id)
    async with asyncio.timeout(SECONDS):
        while snapshot["turn"] is not None or snapshot["messages"][-1]["status"] == "queued":
            if snapshot["turn"] is not None:
                await chat.until("done")
            snapshot = await chat.resume(session_id)
    return snapshot


@pytest.mark.promise(3, 4)
async def test_sigkill_in_mid_answer_keeps_the_text_sent_so_far(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply("seen ", "by someone", Silence())
    chat = await connect(own_server.start())
    await chat.send("send", text="go", model=model.id, client_id="k")
    frames = await chat.until(lambda f: f.get("content") == "by someone")
    session_id = frames[0]["data"]["session_id"]
    own_server.kill()

    chat = await connect(own_server.start())
    snapshot = await chat.resume(session_id)  # recovery precedes the first client
    assert snapshot["turn"] is None
    assert snapshot["messages"][-1]["content"] == "seen by someone"
    assert snapshot["messages"][-1]["status"] == "interrupted"
    assert snapshot["seq"] == frames[-1]["seq"] + 1  # its `done`
    repeated = await chat.say("go", client_id="k")
    assert repeated[-1]["status"] == "interrupted"
    assert text(await chat.say("go on", model="echo")) == "You said: go on"


@pytest.mark.promise(4)
async def test_a_turn_killed_before_its_first_text_runs_again(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply(Silence())
    chat = await connect(own_server.start())
    await chat.send("send", text="go", model=model.id, client_id="k")
    frames = await chat.until("status")
    await model.request()
    own_server.kill()
    model.reply("at last")

    chat = await connect(own_server.start())
    await chat.send("resume_session", session_id=frames[0]["data"]["session_id"])
    snapshot = await settled(
        connect, own_server.talos.address, frames[0]["data"]["session_id"], "k"
    )
    assert snapshot["messages"][-1]["content"] == "at last"
    assert snapshot["messages"][-1]["status"] == "completed"
    assert snapshot["seq"] > frames[-1]["seq"]
    assert len(model.requests) == 2


@pytest.mark.promise(4, 7)
async def test_queued_messages_are_answered_after_a_crash(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply("x", Silence())
    chat = await connect(own_server.start())
    await chat.send("send", text="go", model=model.id)
    session_id = (await chat.until("delta"))[0]["data"]["session_id"]
    await chat.send("send", text="later", model="echo")
    await chat.until("message_created")
    own_server.kill()
    snapshot = await settled(connect, own_server.start(), session_id, "")
    assert [m["status"] for m in snapshot["messages"][1::2]] == ["interrupted", "completed"]
    assert snapshot["messages"][-1]["content"] == "You said: later"


@pytest.mark.promise(6)
async def test_sigterm_lets_a_live_answer_finish(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("one ", gate, "two")
    chat = await connect(own_server.start())
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    await chat.send("send", text="queued")
    await chat.until("message_created")
    own_server.talos.process.terminate()
    await asyncio.to_thread(own_server.talos.said, "Finishing running answers")
    gate.open()
    frames = await chat.until("done")
    assert frames[-1]["status"] == "completed"
    with pytest.raises(ConnectionError, match="1012"):
        while True:
            assert kind(await chat.next()) != "delta"  # no new turn is taken
    assert own_server.talos.end()[0] == 0


@pytest.mark.promise(6)
async def test_sigterm_interrupts_answers_that_do_not_finish_in_time(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply("one ", Silence())
    chat = await connect(own_server.start(TALOS_DRAIN_SECONDS="1"))
    await chat.send("send", text="go", model=model.id)
    session_id = (await chat.until("delta"))[0]["data"]["session_id"]
    own_server.talos.process.terminate()
    frames = await chat.until("done")
    assert frames[-1]["status"] == "interrupted"
    with pytest.raises(ConnectionError, match="1012"):
        await chat.next()
    await (await model.request()).closed()
    assert own_server.talos.end()[0] == 0
    chat = await connect(own_server.start())
    assert (await chat.resume(session_id))["messages"][-1]["content"] == "one "


@pytest.mark.promise(6)
async def test_sigterm_puts_a_silent_turn_back_into_the_queue(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply(Silence())
    chat = await connect(own_server.start(TALOS_DRAIN_SECONDS="0"))
    await chat.send("send", text="go", model=model.id)
    session_id = (await chat.until("status"))[0]["data"]["session_id"]
    await model.request()
    own_server.talos.process.terminate()
    assert own_server.talos.end()[0] == 0
    model.reply("second try")
    snapshot = await settled(connect, own_server.start(), session_id, "")
    assert snapshot["messages"][-1]["content"] == "second try"
