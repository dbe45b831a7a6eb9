"""Large tool results never make a frame too large for a connection."""

from __future__ import annotations

import json

import pytest

from chat.protocol import SNAPSHOT_CALLS_BYTES, SNAPSHOT_CONTENT_BYTES
from tests.support.model_server.steps import Call, Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


@pytest.mark.promise(2)
@pytest.mark.slow
async def test_a_conversation_with_large_results_can_be_opened_while_it_is_answered(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    for round_ in range(4):
        calls = (
            Call(
                "no_such_tool",
                json.dumps({"text": "x" * 100_000}),
                f"call_{round_}_{n}",
                n,
                every=1000,
            )
            for n in range(7)
        )
        model.reply(*calls)
    model.reply("So it ", gate, "is.")
    chat = await open_chat()
    await chat.send("send", text="read", model=model.id)
    await chat.until("delta")
    other = await open_chat()
    await other.send("resume_session", session_id=chat.session_id, render=True)
    snapshot = (await other.until("session_created"))[-1]["data"]
    for calls_ in (snapshot["turn"]["tool_calls"], snapshot["messages"][-1]["tool_calls"]):
        assert len(calls_) == 28
        assert all(call["truncated"] for call in calls_)
        size = sum(len(call["arguments"]["_raw"]) for call in calls_)
        assert size <= SNAPSHOT_CALLS_BYTES
    gate.open()
    assert (await other.until("done"))[-1]["status"] == "completed"


async def test_a_small_result_stays_whole_beside_a_large_one(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply(
        Call("calculate", '{"expression": "6*7"}', "small", 0),
        Call("no_such_tool", json.dumps({"text": "x" * 100_000}), "large", 1),
    )
    model.reply("So it is.")
    chat = await open_chat()
    await chat.say("read", model=model.id)
    await chat.send("resume_session", session_id=chat.session_id)
    snapshot = (await chat.until("session_created"))[-1]["data"]
    small, large = snapshot["messages"][-1]["tool_calls"]
    assert small["content"] == "42"
    assert "truncated" not in small
    assert large["truncated"]
    assert len(large["arguments"]["_raw"]) == SNAPSHOT_CONTENT_BYTES
