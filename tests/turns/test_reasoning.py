"""A model's visible reasoning: sent and stored apart from the answer, never sent back."""

from __future__ import annotations

import pytest

from tests.support.client import kind, kinds, text, without_gaps
from tests.support.model_server.steps import Gate, Silence, Think
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio


async def test_reasoning_comes_before_the_answer_without_numbers(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply(Think("Let me "), Think("see."), "Yes.")
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    thoughts = [frame for frame in frames if kind(frame) == "reasoning"]
    assert "".join(frame["data"]["content"] for frame in thoughts) == "Let me see."
    assert not any("seq" in frame for frame in thoughts)
    assert text(frames) == "Yes."
    assert without_gaps(frames)
    assert kinds(frames).index("reasoning") < kinds(frames).index("delta")


async def test_reasoning_is_stored_but_not_sent_back(open_chat: OpenChat, model: Model) -> None:
    model.reply(Think("secret thoughts"), "Yes.")
    chat = await open_chat()
    await chat.say("go", model=model.id)
    answer = (await chat.resume(chat.session_id, context="full"))["messages"][-1]
    assert (answer["content"], answer["reasoning"]) == ("Yes.", "secret thoughts")
    await chat.say("and?", model=model.id)
    assert "secret thoughts" not in str(model.requests[-1].body)


async def test_a_snapshot_holds_the_reasoning_so_far(open_chat: OpenChat, model: Model) -> None:
    gate = Gate()
    model.reply(Think("one "), Think("two"), gate, "done")
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    await chat.until(lambda f: kind(f) == "reasoning" and f["data"]["content"] == "two")
    turn = (await (await open_chat()).resume(chat.session_id))["turn"]
    assert (turn["reasoning"], turn["content"], turn["status"]) == ("one two", "", "thinking")
    gate.open()
    assert text(await chat.until("done")) == "done"


@pytest.mark.promise(3, 4)
async def test_reasoning_survives_a_killed_server(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply(Think("seen"), Silence())
    chat = await connect(own_server.start())
    await chat.send("send", text="go", model=model.id)
    await chat.until("reasoning")
    own_server.kill()
    answer = (await (await connect(own_server.start())).resume(chat.session_id))["messages"][-1]
    assert (answer["status"], answer["reasoning"]) == ("interrupted", "seen")
