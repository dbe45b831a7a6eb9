"""Regenerating an answer: the earlier one is kept as a sibling, and every tab gets the new one."""

from __future__ import annotations

import pytest

from tests.support.client import kind, kinds, text
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


async def test_the_last_answer_gets_another_version(open_chat: OpenChat, model: Model) -> None:
    model.reply("first")
    model.reply("second")
    chat, tab = await open_chat(), await open_chat()
    await chat.say("go", model=model.id)
    await tab.resume(chat.session_id)
    await chat.send("regenerate", model=model.id)
    frames = await chat.until("done")
    assert kinds(frames)[0] == "branch"
    assert frames[0]["data"]["message_id"] == frames[-1]["message_id"]
    assert text(frames) == "second"
    assert frames[-1]["status"] == "completed"
    assert await tab.until("done") == frames

    messages = (await chat.resume(chat.session_id))["messages"]
    assert [message["content"] for message in messages] == ["go", "second"]
    assert len(messages[-1]["siblings"]) == 2
    assert messages[-1]["siblings"][-1] == messages[-1]["id"]


async def test_the_same_request_is_sent_again(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say("one")
    await chat.say("two")
    await chat.send("regenerate")
    await chat.until("done")
    assert model.requests[2].body["messages"] == model.requests[1].body["messages"]


async def test_an_earlier_answer_can_be_regenerated(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    first = (await chat.say("one"))[-1]["message_id"]
    await chat.say("two")
    await chat.send("regenerate", message_id=first)
    await chat.until("done")
    messages = (await chat.resume(chat.session_id))["messages"]
    assert [m["content"] for m in messages] == ["one", "You said: one"]


@pytest.mark.parametrize("message_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
async def test_an_impossible_regeneration_is_refused_and_done(
    open_chat: OpenChat, model: Model, message_id: str
) -> None:
    chat = await open_chat()
    await chat.say("go", model=model.id)
    await chat.send("regenerate", message_id=message_id)
    frames = await chat.until("done")
    assert [frame["type"] for frame in frames] == ["error", "done"]
    assert frames[0]["code"] == "not_allowed"
    assert frames[1] == {"type": "done", "message_id": None, "status": "failed"}


async def test_no_regeneration_during_an_answer(open_chat: OpenChat, model: Model) -> None:
    gate = Gate()
    model.reply("x", gate)
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    await chat.send("regenerate")
    frames = await chat.until("done")
    assert [f["code"] for f in frames if kind(f) == "error"] == ["not_allowed"]
    gate.open()
    assert (await chat.until("done"))[-1]["status"] == "completed"
