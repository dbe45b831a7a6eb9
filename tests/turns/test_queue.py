"""One turn at a time: later sends wait in order, can be cancelled, and are never dropped."""

from __future__ import annotations

import pytest

from tests.support.client import Chat, kind, text
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat

pytestmark = [pytest.mark.anyio, pytest.mark.promise(7)]


async def busy(chat: Chat, model: Model) -> Gate:
    """Start an answer that runs until the gate is opened."""
    gate = Gate()
    model.reply("first", gate)
    await chat.send("send", text="first", model=model.id, client_id=f"{model.id}-first")
    await chat.until("delta")
    return gate


async def test_queued_messages_are_answered_in_order(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    gate = await busy(chat, model)
    for name in ("a", "b", "c"):
        await chat.send("send", text=name, client_id=f"{model.id}-{name}")
    await chat.until(
        lambda frame: kind(frame) == "message_created" and frame["data"]["content"] == "c"
    )
    assert len(model.requests) == 1
    gate.open()
    done = []
    for expected in ("first", "You said: a", "You said: b", "You said: c"):
        frames = await chat.until("done")
        assert text(frames) in (expected, "")  # the first one's text arrived before
        done.append(frames[-1]["client_id"].removeprefix(f"{model.id}-"))
    assert done == ["first", "a", "b", "c"]


async def test_a_queued_message_follows_the_answer_before_it(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    gate = await busy(chat, model)
    await chat.send("send", text="second")
    gate.open()
    await chat.until("done")
    await chat.until("done")
    said = [(m["role"], m["content"]) for m in model.requests[1].body["messages"][1:]]
    assert said == [("user", "first"), ("assistant", "first"), ("user", "second")]


async def test_a_snapshot_counts_the_queue(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    gate = await busy(chat, model)
    session_id = chat.session_id
    await chat.send("send", text="a")
    await chat.send("send", text="b")
    await chat.until("message_created")
    await chat.until("message_created")
    snapshot = await (await open_chat()).resume(session_id)
    assert snapshot["turn"]["queued"] == 2
    assert [m["content"] for m in snapshot["messages"] if m["role"] == "user"] == [
        "first",
        "a",
        "b",
    ]
    gate.open()
    for _ in range(3):
        await chat.until("done")


async def test_the_twenty_first_queued_message_is_refused(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    gate = await busy(chat, model)
    for number in range(21):
        await chat.send("send", text=str(number), client_id=f"{model.id}-{number}")
    frames = await chat.until("done")
    assert [f["code"] for f in frames if kind(f) == "error"] == ["rate_limited"]
    assert (frames[-1]["client_id"], frames[-1]["status"]) == (f"{model.id}-20", "failed")
    gate.open()
    done = [(await chat.until("done"))[-1]["client_id"] for _ in range(21)]
    assert done == [f"{model.id}-{name}" for name in ("first", *range(20))]


async def test_a_queued_message_can_be_cancelled(open_chat: OpenChat, model: Model) -> None:
    chat, tab = await open_chat(), await open_chat()
    gate = await busy(chat, model)
    await tab.resume(chat.session_id)
    for name in ("a", "b"):
        await chat.send("send", text=name, client_id=f"{model.id}-{name}")
    await chat.send("withdraw", client_id=f"{model.id}-a")
    for page in (chat, tab):
        done = (await page.until("done"))[-1]
        assert done["client_id"] == f"{model.id}-a"
        assert done["status"] == "cancelled"
        assert "seq" not in done
    gate.open()
    await chat.until("done")
    assert (await chat.until("done"))[-1]["client_id"] == f"{model.id}-b"
    said = [m["content"] for m in model.requests[1].body["messages"][1:]]
    assert said == ["first", "first", "b"]
    repeated = await chat.say("a", client_id=f"{model.id}-a")
    assert repeated[-1]["status"] == "cancelled"
    assert len(model.requests) == 2


async def test_a_running_message_cannot_be_cancelled(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    gate = await busy(chat, model)
    await chat.send("withdraw", client_id=f"{model.id}-first")
    assert (await chat.until("error"))[-1]["code"] == "not_allowed"
    gate.open()
    assert (await chat.until("done"))[-1]["status"] == "completed"
