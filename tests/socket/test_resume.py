"""Resuming: the state so far, then each later frame exactly once."""

from __future__ import annotations

import pytest

from tests.support.client import Chat, kinds, numbers, text
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


@pytest.mark.promise(2)
async def test_a_resume_in_mid_answer_continues_it(open_chat: OpenChat, model: Model) -> None:
    gate = Gate()
    model.reply("before ", gate, "after")
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    frames = await chat.until("delta")
    await chat.close()

    back = await open_chat()
    snapshot = await back.resume(frames[0]["data"]["session_id"])
    turn = snapshot["turn"]
    assert turn["content"] == "before "
    assert turn["status"] == "responding"
    assert turn["queued"] == 0
    assert turn["message_id"] == snapshot["messages"][-1]["id"]
    assert snapshot["seq"] == frames[-1]["seq"]
    gate.open()
    rest = await back.until("done")
    assert text(rest) == "after"
    assert numbers(rest)[0] == snapshot["seq"] + 1


@pytest.mark.promise(2)
async def test_a_turn_survives_its_only_client(open_chat: OpenChat, model: Model) -> None:
    gate = Gate()
    model.reply("nobody ", gate, "watched")
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id, client_id=model.id)
    session_id = (await chat.until("delta"))[0]["data"]["session_id"]
    chat.tear()
    gate.open()
    back = await open_chat()
    snapshot = await back.resume(session_id)
    if snapshot["turn"] is not None:
        await back.until("done")
        snapshot = await back.resume(session_id)
    assert snapshot["messages"][-1]["content"] == "nobody watched"
    assert snapshot["messages"][-1]["status"] == "completed"


@pytest.mark.promise(2)
async def test_resuming_the_same_conversation_sends_a_new_snapshot(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("a", gate, "b")
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    session_id = (await chat.until("delta"))[0]["data"]["session_id"]
    for _ in range(3):
        assert (await chat.resume(session_id))["turn"]["content"] == "a"
    gate.open()
    assert text(await chat.until("done")) == "b"


@pytest.mark.promise(2)
async def test_a_connection_subscribes_to_one_conversation_at_a_time(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("a", gate, "b")
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    await chat.new(model="echo")
    gate.open()
    frames = await chat.say("elsewhere")
    assert text(frames) == "You said: elsewhere"


async def test_the_snapshot_holds_the_last_twenty_messages(open_chat: OpenChat) -> None:
    chat = await open_chat()
    session_id = await chat.new(model="echo")
    for number in range(12):
        await chat.say(str(number))
    messages = (await chat.resume(session_id))["messages"]
    assert len(messages) == 20
    assert [m["content"] for m in messages if m["role"] == "user"] == [str(n) for n in range(2, 12)]
    assert [m["parent_id"] for m in messages[1:]] == [m["id"] for m in messages[:-1]]


async def test_long_content_is_cut_in_a_snapshot_only(open_chat: OpenChat, model: Model) -> None:
    model.reply("ä" * 40_000)
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    assert len(text(frames)) == 40_000
    answer = (await chat.resume(frames[0]["data"]["session_id"]))["messages"][-1]
    assert answer["content"] == "ä" * 32_768
    assert answer["truncated"] is True


async def contexts(chat: Chat, model: Model, session_id: str, **fields: object) -> list[str]:
    """Return the messages that the model gets for a send after this resume."""
    await chat.resume(session_id, **fields)
    await chat.say("now")
    return [m["content"] for m in model.requests[-1].body["messages"][1:]]


async def test_the_client_chooses_the_context(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    session_id = await chat.new(model=model.id)
    for number in range(3):
        model.reply(f"a{number}")
        await chat.say(f"q{number}")
    said = ["q0", "a0", "q1", "a1", "q2", "a2"]
    assert await contexts(chat, model, session_id, context=3) == ["q2", "a2", "now"]
    assert await contexts(chat, model, session_id, context=4) == [
        "q2",
        "a2",
        "now",
        "You said: now",
        "now",
    ]
    assert await contexts(chat, model, session_id, context=0) == ["now"]
    full = await contexts(chat, model, session_id, context="full")
    assert full[:6] == said
    assert len(full) == 6 + 6 + 1


async def test_the_context_after_a_resume_is_twenty_messages(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    session_id = await chat.new(model=model.id)
    for number in range(11):
        await chat.say(f"q{number}")
    assert len(model.requests[-1].body["messages"]) == 1 + 20 + 1  # all, after new_session
    assert len(await contexts(chat, model, session_id)) == 20 + 1
    assert "session_created" in kinds(chat.all)
