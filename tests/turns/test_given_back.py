"""Opaque parts go back to their own model, across waits and restarts, and to no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Frame, kind, text
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Call, Chunk, Status, Think
from tests.support.servers import Model, OpenChat, OwnServer
from tests.turns.asking import TOOLS

pytestmark = pytest.mark.anyio

LONG_ID = "call_1__thought__" + "Q0FFU0lR" * 150
SUM = '{"expression": "6*7"}'


def a_sum(call_id: str = "call_1") -> Call:
    return Call("calculate", SUM, call_id)


def sent(model: Model, number: int = -1) -> list[dict[str, Any]]:
    """Return the messages of a request without the system prompt."""
    messages: list[dict[str, Any]] = model.requests[number].body["messages"][1:]
    return messages


def ids(messages: list[dict[str, Any]]) -> list[str]:
    calls = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert [m["tool_call_id"] for m in messages if m["role"] == "tool"] == calls
    return calls


@pytest.mark.promise(4, 5)
async def test_opaque_parts_survive_a_killed_server_and_a_wait_for_approval(
    own_server: OwnServer, connect: OpenChat, model: Model, tmp_path: Path
) -> None:
    own_server.variables["TALOS_TOOLS"] = TOOLS
    line = f'{{"file": "{tmp_path / "effects.txt"}", "text": "a"}}'
    model.reply(Think("Hm."), Call("append_line", line, LONG_ID))
    chat = await connect(own_server.start())
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    request = (await chat.until("tool_approval_request"))[-1]
    call_id = request["data"]["call_id"]
    assert len(call_id) <= 40
    await chat.until(lambda f: f.get("data", {}).get("status") == "waiting_approval")
    own_server.kill()
    chat = await connect(own_server.start())
    await chat.resume(session_id)
    model.reply(Think("Oh."), "Done.")
    await chat.send("approve_tool", call_id=call_id, approved=True)
    assert text(await chat.until("done")) == "Done."
    assert ids(sent(model)) == [LONG_ID]
    assert sent(model)[1]["reasoning_content"] == "Hm."
    model.reply("Yes.")
    await chat.say("Sure?")
    assert ids(sent(model)) == [LONG_ID]
    thoughts = [m.get("reasoning_content") for m in sent(model) if m["role"] == "assistant"]
    assert thoughts == ["Hm.", "Oh."]


async def test_opaque_parts_are_not_sent_to_another_model_of_the_server(
    address: str, connect: OpenChat, model: Model, model_server: ModelServer
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    model.reply(Think("Hm."), a_sum(LONG_ID))
    model.reply("42.")
    await chat.say("6*7?")
    assert ids(sent(model)) == [LONG_ID]
    other = Model(model_server)
    other.reply("Yes.")
    await chat.say("Sure?", model=other.id)
    (call_id,) = ids(sent(other))
    assert len(call_id) <= 40
    assert "Hm." not in str(sent(other))
    model.reply("Yes.")
    await chat.say("Really?", model=model.id)
    assert ids(sent(model)) == [LONG_ID]
    assert "Hm." in str(sent(model))


async def test_a_signature_goes_back_with_its_call_after_approval(
    address: str, connect: OpenChat, model: Model
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    extra = {"google": {"thought_signature": "U2lnbmVk"}}
    function = {"name": "calculate", "arguments": SUM}
    call = {"index": 0, "id": "call_1", "function": function, "extra_content": extra}
    model.reply(Chunk({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}))
    model.reply("42.")
    await chat.say("6*7?")
    assert sent(model)[1]["tool_calls"][0]["extra_content"] == extra


async def test_reasoning_in_the_text_is_shown_but_not_sent_back(
    address: str, connect: OpenChat, model: Model
) -> None:
    """The closing tag comes alone, as from a model whose template writes the opening tag."""
    chat = await connect(address)
    session_id = await chat.new(model=model.id)
    model.reply("Hm, a greeting.", "</think>", "Hello")
    await chat.say("Hi")
    shown = (await chat.resume(session_id))["messages"][-1]["content"]
    assert shown.startswith("Hm, a greeting.")
    assert shown.endswith("Hello")
    model.reply("Fine.")
    await chat.say("How are you?")
    assert [m["content"].strip() for m in sent(model)] == ["Hi", "Hello", "How are you?"]


async def test_an_overlong_conversation_is_answered_without_its_oldest_messages(
    address: str, connect: OpenChat, model: Model
) -> None:
    chat = await connect(address)
    session_id = await chat.new(model=model.id)
    for word in ("one", "two", "three"):
        model.reply(f"{word}! " * 500)
        await chat.say(f"{word}? " * 500)
    model.reply(too_long(4000))
    model.reply("Four.")
    begun = len(model.requests)
    assert text(await chat.say("four?")) == "Four."
    first, second = (sent(model, number) for number in (begun, begun + 1))
    assert (len(first), len(second)) == (7, 5)
    assert second == first[2:]
    answer = (await chat.resume(session_id))["messages"][-1]
    assert "oldest messages were left out" in answer["note"]
    model.reply("Five.")
    begun = len(model.requests)
    await chat.say("five?")
    assert len(model.requests) == begun + 1  # the window that its server named is remembered
    assert sent(model)[0]["content"].startswith("three?")


async def test_an_overlong_question_is_reported(
    address: str, connect: OpenChat, model: Model
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    model.reply(too_long(100))
    frames = await chat.say("word " * 500)
    assert frames[-1]["status"] == "failed"
    assert "too long" in error_of(frames)
    assert len(model.requests) == 1


def too_long(window: int) -> Status:
    said = (
        f"This model's maximum context length is {window} tokens. However, your messages resulted "
        f"in {window + 1} tokens."
    )
    body = {"error": {"message": said, "code": "context_length_exceeded"}}
    return Status(400, json.dumps(body))


async def test_repeated_ids_of_calls_are_distinguished(
    address: str, connect: OpenChat, model: Model
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    for _ in range(2):
        model.reply(a_sum("functions.calculate:0"))
        model.reply("42.")
        await chat.say("6*7?")
    first, second = ids(sent(model))
    assert first == "functions.calculate:0"
    assert second != first


@pytest.mark.parametrize("arguments", ['{"expression": ', "[6, 7]"])
async def test_an_invalid_call_does_not_spoil_the_next_messages(
    address: str, connect: OpenChat, model: Model, arguments: str
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    model.reply(Call("calculate<|channel|>", arguments, "call_1"))
    model.reply("Sorry.")
    await chat.say("6*7?")
    function = sent(model)[1]["tool_calls"][0]["function"]
    assert function["name"] == "calculate__channel__"
    assert function["arguments"].startswith('{"_raw":')


async def test_an_empty_answer_after_results_is_no_failure(
    address: str, connect: OpenChat, model: Model
) -> None:
    chat = await connect(address)
    session_id = await chat.new(model=model.id)
    model.reply("It is 42; I check. ", a_sum())
    model.reply("")
    done = (await chat.say("6*7?"))[-1]
    assert done["status"] == "completed"
    assert (await chat.resume(session_id))["messages"][-1]["content"] == "It is 42; I check. "
    model.reply(a_sum("call_2"))
    model.reply("")
    frames = await chat.say("And 6*7?")
    assert frames[-1]["status"] == "failed"  # if there is no text at all
    assert "empty" in error_of(frames)


async def test_roles_alternate_after_a_failed_answer(
    address: str, connect: OpenChat, model: Model
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    model.reply(Chunk({"error": {"message": "scripted"}}))
    assert (await chat.say("One?"))[-1]["status"] == "failed"
    model.reply(a_sum())
    model.reply(Chunk({"error": {"message": "scripted"}}))
    assert (await chat.say("Two?"))[-1]["status"] == "failed"
    model.reply("Three.")
    await chat.say("Three?")
    messages = sent(model)
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "user"]
    assert messages[0]["content"] == "One?\n\nTwo?"
    assert messages[1]["content"] is None


def error_of(frames: list[Frame]) -> str:
    return next(str(frame["content"]) for frame in frames if kind(frame) == "error")
