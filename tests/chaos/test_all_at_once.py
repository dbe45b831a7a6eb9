"""Promises 1, 3 and 7: many clients send, or stop, at the same moment."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import pytest

from tests.chaos.sizes import sizes
from tests.support.client import kind, text, without_gaps
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


@pytest.mark.promise(1, 7)
@sizes("times", sample=1, full=20)
async def test_twenty_sends_at_once_are_answered_one_after_the_other(
    open_chat: OpenChat, model: Model, times: int
) -> None:
    for _ in range(times):
        chats = [await open_chat() for _ in range(20)]
        session_id = await chats[0].new(model=model.id)
        for chat in chats[1:]:
            await chat.resume(session_id)
        names = [str(uuid4()) for _ in chats]
        sends = zip(chats, names, strict=True)
        await asyncio.gather(*(c.send("send", text=name, client_id=name) for c, name in sends))
        for _ in names:
            await chats[0].until("done")
        frames = chats[0].all
        asked = [f["data"]["client_id"] for f in frames if kind(f) == "message_created"]
        ended = [frame["client_id"] for frame in frames if kind(frame) == "done"]
        assert sorted(asked) == sorted(names)
        assert ended == asked
        assert text(frames) == "".join(f"You said: {name}" for name in asked)
        assert without_gaps(frames)
        for chat in chats:
            await chat.close()


@pytest.mark.promise(1)
@sizes("times", sample=1, full=20)
async def test_twenty_first_sends_of_one_client_id_are_one(
    open_chat: OpenChat, model: Model, times: int
) -> None:
    """From twenty connections without an open conversation: one conversation is created."""
    for number in range(times):
        name = str(uuid4())
        chats = [await open_chat() for _ in range(20)]
        ends = await asyncio.gather(
            *(chat.say("once", model=model.id, client_id=name) for chat in chats)
        )
        assert {frames[-1]["message_id"] for frames in ends} == {ends[0][-1]["message_id"]}
        assert {frames[-1]["status"] for frames in ends} == {"completed"}
        assert len({chat.session_id for chat in chats}) == 1
        assert len(model.requests) == number + 1
        snapshot = await chats[0].resume(chats[0].session_id)
        assert [m["role"] for m in snapshot["messages"]] == ["user", "assistant"]
        for chat in chats:
            await chat.nothing_more("title", "message_created")
            assert sum(kind(frame) == "done" for frame in chat.all) == 1
            await chat.close()


@pytest.mark.promise(1)
async def test_twenty_sends_of_one_client_id_on_one_connection_are_one(
    open_chat: OpenChat, model: Model
) -> None:
    chat, name = await open_chat(), str(uuid4())
    for _ in range(20):
        await chat.send("send", text="once", model=model.id, client_id=name)
    await chat.until("done")
    await chat.nothing_more("message_created", "done")
    assert sum(kind(frame) == "session_created" for frame in chat.all) == 1
    assert len(model.requests) == 1


@pytest.mark.promise(1, 3)
@sizes("times", sample=30, full=500)
async def test_a_stop_within_20_ms_of_the_end_has_one_outcome(
    open_chat: OpenChat, model: Model, rng: random.Random, times: int
) -> None:
    chat, tab = await open_chat(), await open_chat()
    await tab.resume(await chat.new(model=model.id))
    outcomes = []
    for number in range(times):
        gate = Gate()
        model.reply("all ", "of ", gate, "it")
        since = len(chat.all)
        await chat.send("send", text="go", client_id=f"{model.id}-{number}")
        await chat.until(lambda frame: frame.get("content") == "of ")
        moment = rng.uniform(-0.02, 0.02)
        if moment < 0:
            gate.open()
        await asyncio.sleep(abs(moment))
        await rng.choice((chat, tab)).send("cancel")
        gate.open()
        end = (await chat.until("done"))[-1]
        outcomes.append(end["status"])
        frames = chat.all[since:]
        assert end["client_id"] == f"{model.id}-{number}"
        assert text(frames) == "all of it" or (
            end["status"] == "cancelled" and text(frames) == "all of "
        )
        assert (await tab.until("done"))[-1] == end
        stored = (await tab.resume(chat.session_id))["messages"][-1]
        assert (stored["content"], stored["status"]) == (text(frames), end["status"])
    await chat.nothing_more("title")
    assert set(outcomes) <= {"completed", "cancelled"}
    assert sum(kind(frame) == "done" for frame in chat.all) == times
    assert without_gaps(chat.all)
