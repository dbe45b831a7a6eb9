"""A message and its answer: the frames, their order, and the stored rows."""

from __future__ import annotations

import pytest

from tests.support.client import kinds, numbers, text, without_gaps
from tests.support.model_server.steps import Gate, Tokens
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


@pytest.mark.promise(1)
async def test_an_answer_streams_in_the_contracts_order(open_chat: OpenChat, model: Model) -> None:
    model.reply("one ", "two ", "three")
    chat = await open_chat()
    frames = await chat.say("count", model=model.id, client_id=model.id)
    assert kinds(frames) == [
        "session_created", "message_created", "status", "status", "delta", "done",
    ]  # fmt: skip
    assert [f["data"]["status"] for f in frames if "status" in f.get("data", {})] == [
        "thinking", "responding",
    ]  # fmt: skip
    assert [f["content"] for f in frames if f["type"] == "delta"] == ["one ", "two ", "three"]
    assert numbers(frames) == [1, 2, 3, 4, 5, 6]
    assert frames[-1] | {"message_id": ""} == {
        "type": "done", "seq": 6, "message_id": "", "status": "completed", "client_id": model.id,
    }  # fmt: skip


@pytest.mark.promise(1)
async def test_a_send_without_a_session_creates_and_announces_one(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    first = (await chat.say("hello", model=model.id))[0]["data"]
    assert (first["resumed"], first["messages"], first["seq"], first["turn"]) == (
        False,
        [],
        0,
        None,
    )
    second = await chat.say("again")
    assert "session_created" not in kinds(second)
    assert text(second) == "You said: again"


@pytest.mark.promise(2)
async def test_frame_numbers_continue_across_turns(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    frames = await chat.say("one", model=model.id) + await chat.say("two") + await chat.say("three")
    assert without_gaps(frames)


@pytest.mark.promise(3)
async def test_an_answer_is_stored_as_it_was_sent(open_chat: OpenChat, model: Model) -> None:
    model.reply("Grüße, ", "\N{GRINNING FACE}", "\n\n```py\nx = 1\n```\n")
    chat = await open_chat()
    frames = await chat.say("hi", model=model.id)
    again = await (await open_chat()).resume(frames[0]["data"]["session_id"])
    question, answer = again["messages"]
    assert (question["role"], question["content"], question["status"]) == (
        "user",
        "hi",
        "completed",
    )
    assert (answer["role"], answer["status"]) == ("assistant", "completed")
    assert answer["content"] == text(frames)
    assert answer["id"] == frames[-1]["message_id"]
    assert answer["parent_id"] == question["id"]
    assert answer["siblings"] == [answer["id"]]
    assert answer["model"] == model.id
    assert again["seq"] == frames[-1]["seq"]
    assert again["turn"] is None
    assert again["resumed"] is True


async def test_usage_is_sent_and_stored(open_chat: OpenChat, model: Model) -> None:
    model.reply("x", Tokens(prompt=11, completion=3, cached=2))
    chat = await open_chat()
    frames = await chat.say("hi", model=model.id)
    usage = {"input_tokens": 11, "output_tokens": 3, "cached_tokens": 2}
    assert frames[-1]["usage"] == usage
    again = await (await open_chat()).resume(frames[0]["data"]["session_id"])
    assert again["messages"][-1]["usage"] == usage


async def test_two_slashes_escape_a_leading_slash(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    assert text(await chat.say("//help me", model=model.id)) == "You said: /help me"


async def test_a_command_creates_no_conversation(open_chat: OpenChat) -> None:
    chat = await open_chat()
    frames = await chat.say("/models", client_id="m")
    assert kinds(frames) == ["message", "done"]
    assert frames[0]["content"].startswith("Available models:")
    assert frames[1] == {
        "type": "done", "message_id": None, "status": "completed", "client_id": "m",
    }  # fmt: skip


async def test_an_unknown_command_suggests_the_nearest(open_chat: OpenChat) -> None:
    frames = await (await open_chat()).say("/halp")
    assert "`/help`" in frames[0]["content"]


async def test_an_overlong_message_is_refused_and_done(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    frames = await chat.say("\N{GRINNING FACE}" * 65_537, client_id="long", model=model.id)
    assert [frame["type"] for frame in frames] == ["error", "done"]
    assert frames[0]["code"] == "message_too_long"
    assert frames[1] == {
        "type": "done", "message_id": None, "status": "failed", "client_id": "long",
    }  # fmt: skip
    assert text(await chat.say("\N{GRINNING FACE}" * 65_536, model=model.id)).startswith("You said")
    assert len(model.requests) == 1


async def test_a_conversation_keeps_its_first_model(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say("hello")
    await chat.say("once", model=f"{model.id}-other")
    await chat.say("again")
    assert len(model.requests) == 2


async def test_a_slow_answer_does_not_delay_other_conversations(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("slow ", gate, "end")
    slow, quick = await open_chat(), await open_chat()
    await slow.send("send", text="hi", model=model.id)
    await slow.until("delta")
    assert text(await quick.say("hi", model="echo")) == "You said: hi"
    gate.open()
    assert (await slow.until("done"))[-1]["status"] == "completed"


async def test_an_overlong_model_id_is_unknown(open_chat: OpenChat) -> None:
    frames = await (await open_chat()).say("hi", model="m" * 201)
    assert [frame["type"] for frame in frames] == ["error", "done"]
    assert frames[0]["code"] == "unknown_model"
