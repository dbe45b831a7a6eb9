"""Finished blocks of a live answer arrive rendered, only on connections that asked for them."""

from __future__ import annotations

import pytest

from tests.support.client import Frame, kind, text
from tests.support.model_server.steps import Call, Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio

ANSWER = ("# Ants\n\nThey are ", "**small**", ".\n\n```py\nx = 1\n", "```\n", "\n- a\n- b\n")


def blocks(frames: list[Frame]) -> list[Frame]:
    return [frame["data"] for frame in frames if kind(frame) == "block"]


async def test_every_block_arrives_once_and_in_order_before_done(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply(*ANSWER)
    chat = await open_chat()
    frames = await chat.say("go", model=model.id, render=True)
    found = blocks(frames)
    assert [block["index"] for block in found] == [0, 1, 2, 3]
    assert [block["html"].split(">")[0].split()[0] for block in found] == [
        "<h3", "<p", "<div", "<ul",
    ]  # fmt: skip
    assert "<strong>small</strong>" in found[1]["html"]
    assert found[-1]["end"] == len("".join(ANSWER))
    assert {block["message_id"] for block in found} == {frames[-1]["message_id"]}
    assert all("seq" not in frame for frame in frames if kind(frame) == "block")


async def test_a_finished_block_does_not_wait_for_the_rest(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("One.\n\nTwo", gate, " and a half.")
    chat = await open_chat()
    await chat.new(model=model.id, render=True)
    await chat.send("send", text="go")
    first = (await chat.until("block"))[-1]["data"]
    assert first["html"].strip() == '<p dir="auto">One.</p>'
    assert first["end"] == len("One.\n\n")
    gate.open()
    rest = await chat.until("done")
    assert "Two and a half." in blocks(rest)[-1]["html"]


async def test_a_snapshot_in_mid_answer_holds_the_blocks_so_far(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("One.\n\nTwo.\n\nThree", gate)
    chat, late = await open_chat(), await open_chat()
    await chat.send("send", text="go", model=model.id)
    await chat.until(lambda frame: frame.get("content") == "One.\n\nTwo.\n\nThree")
    await late.resume(chat.session_id, render=True)
    early = await late.until(lambda frame: kind(frame) == "block" and frame["data"]["index"] == 1)
    later = await open_chat()
    await later.resume(chat.session_id, render=True)
    assert blocks(await later.until(lambda f: kind(f) == "block" and f["data"]["index"] == 1)) == (
        blocks(early)
    )
    gate.open()
    assert blocks(await later.until("done"))[-1]["index"] == 2
    assert blocks(await chat.until("done")) == []


async def test_no_block_spans_a_tool_call(open_chat: OpenChat, model: Model) -> None:
    model.reply("Let me see", Call("calculate", '{"expression": "6*7"}'))
    model.reply("it is 42.")
    chat = await open_chat()
    frames = await chat.say("go", model=model.id, render=True)
    found = blocks(frames)
    assert text(frames) == "Let me seeit is 42."
    assert [block["end"] for block in found] == [len("Let me see"), len(text(frames))]
    assert "it is" not in found[0]["html"]


async def test_text_before_a_pending_call_is_rendered(open_chat: OpenChat, model: Model) -> None:
    model.reply("I *will*.", Call("write_file", '{"path": "a.md", "content": "a"}'))
    chat = await open_chat()
    await chat.new(render=True)
    await chat.send("send", text="go", model=model.id)
    frames = await chat.until(lambda f: f.get("data", {}).get("status") == "waiting_approval")
    assert ["will" in block["html"] for block in blocks(frames)] == [True]
    await chat.send("cancel")
    await chat.until("done")
