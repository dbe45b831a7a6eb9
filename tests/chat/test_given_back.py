"""What a model said for itself goes back to it, over waits and restarts, and to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chat.client import Frame, kind, text
from tests.chat.conftest import Model, OpenChat, OwnServer
from tests.chat.test_approvals import TOOLS
from tests.model_server import ModelServer
from tests.model_server.steps import Call, Chunk, Think

pytestmark = pytest.mark.anyio

LONG_ID = "call_1__thought__" + "Q0FFU0lR" * 150
SUM = '{"expression": "6*7"}'


def a_sum(call_id: str = "call_1") -> Call:
    return Call("calculate", SUM, call_id)


def sent(model: Model, number: int = -1) -> list[dict[str, Any]]:
    """The messages of a request, without the system prompt."""
    messages: list[dict[str, Any]] = model.requests[number].body["messages"][1:]
    return messages


def ids(messages: list[dict[str, Any]]) -> list[str]:
    calls = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert [m["tool_call_id"] for m in messages if m["role"] == "tool"] == calls
    return calls


@pytest.mark.promise(4, 5)
async def test_it_outlives_a_killed_server_and_a_wait_for_a_person(
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
    model.reply("Done.")
    await chat.send("approve_tool", call_id=call_id, approved=True)
    assert text(await chat.until("done")) == "Done."
    assert ids(sent(model)) == [LONG_ID]
    model.reply("Yes.")
    await chat.say("Sure?")
    assert ids(sent(model)) == [LONG_ID]


async def test_another_model_of_the_same_server_is_not_given_it(
    address: str, connect: OpenChat, model: Model, model_server: ModelServer
) -> None:
    chat = await connect(address)
    await chat.new(model=model.id)
    model.reply(a_sum(LONG_ID))
    model.reply("42.")
    await chat.say("6*7?")
    assert ids(sent(model)) == [LONG_ID]
    other = Model(model_server)
    other.reply("Yes.")
    await chat.say("Sure?", model=other.id)
    (call_id,) = ids(sent(other))
    assert len(call_id) <= 40
    model.reply("Yes.")
    await chat.say("Really?", model=model.id)
    assert ids(sent(model)) == [LONG_ID]


async def test_ids_that_a_model_repeats_are_told_apart(
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
async def test_a_call_that_was_wrong_does_not_spoil_what_follows(
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


async def test_nothing_to_add_to_results_is_no_failure(
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
    assert frames[-1]["status"] == "failed"  # where nothing was said at all
    assert "empty" in error_of(frames)


async def test_after_an_answer_that_failed_roles_still_take_turns(
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
