"""A repeated send is harmless: one `client_id` is one message, however often it arrives."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.client import kinds, text
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat

pytestmark = [pytest.mark.anyio, pytest.mark.promise(1)]


async def test_a_repeated_send_after_the_answer_repeats_its_end(
    open_chat: OpenChat, model: Model
) -> None:
    chat, name = await open_chat(), str(uuid4())
    first = await chat.say("once", model=model.id, client_id=name)
    second = await chat.say("once", model=model.id, client_id=name)
    assert kinds(second) == ["message_created", "done"]
    assert "seq" not in second[-1]
    assert second[-1] | {"seq": first[-1]["seq"]} == first[-1]
    assert len(model.requests) == 1


async def test_a_repeated_send_does_not_need_its_model(open_chat: OpenChat, model: Model) -> None:
    chat, name = await open_chat(), str(uuid4())
    first = await chat.say("once", model=model.id, client_id=name)
    second = await chat.say("once", model="x" * 201, client_id=name)  # no model has such a name
    assert kinds(second) == ["message_created", "done"]
    assert second[-1]["message_id"] == first[-1]["message_id"]
    assert len(model.requests) == 1


async def test_a_send_can_be_repeated_from_another_connection(
    open_chat: OpenChat, model: Model
) -> None:
    chat, name = await open_chat(), str(uuid4())
    first = await chat.say("once", model=model.id, client_id=name)
    other = await open_chat()
    second = await other.say("once", model=model.id, client_id=name)
    assert kinds(second) == ["session_created", "message_created", "done"]
    assert second[0]["data"]["session_id"] == first[0]["data"]["session_id"]
    assert second[-1]["message_id"] == first[-1]["message_id"]


async def test_simultaneous_sends_announce_the_message_before_its_end(
    open_chat: OpenChat,
) -> None:
    for _ in range(20):
        both, name = [await open_chat(), await open_chat()], str(uuid4())
        for chat in both:
            await chat.send("send", text="once", model="echo", client_id=name)
        for chat in both:
            frames = kinds(await chat.until("done"))
            assert "message_created" in frames, frames


async def test_an_edit_can_be_repeated_from_another_connection(
    open_chat: OpenChat, model: Model
) -> None:
    chat, name = await open_chat(), str(uuid4())
    frames = await chat.say("once", model=model.id)
    question = next(f for f in frames if f.get("event") == "message_created")["data"]["message_id"]
    edit = {"message_id": question, "text": "twice", "client_id": name}
    await chat.send("edit", **edit)
    first = await chat.until("done")
    other = await open_chat()
    await other.send("edit", **edit)
    second = await other.until("done")
    assert kinds(second) == ["session_created", "message_created", "done"]
    assert second[-1]["message_id"] == first[-1]["message_id"]
    assert len(model.requests) == 2


async def test_a_repeated_send_joins_the_running_turn(open_chat: OpenChat, model: Model) -> None:
    gate, name = Gate(), str(uuid4())
    model.reply("one ", gate, "two")
    chat = await open_chat()
    await chat.send("send", text="once", model=model.id, client_id=name)
    await chat.until("delta")
    other = await open_chat()
    await other.send("send", text="once", model=model.id, client_id=name)
    snapshot, created = (await other.until("message_created"))[-2:]
    assert snapshot["data"]["turn"]["content"] == "one "
    assert created["data"]["client_id"] == name
    gate.open()
    frames = await other.until("done")
    assert text(frames) == "two"
    assert frames[-1]["seq"] == (await chat.until("done"))[-1]["seq"]
