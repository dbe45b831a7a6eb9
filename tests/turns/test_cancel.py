"""A stop, wherever it comes from, closes the request to the model and keeps the text so far."""

from __future__ import annotations

import time

import pytest

from tests.support.client import Chat, text, without_gaps
from tests.support.model_server.steps import Headers, Silence
from tests.support.servers import Model, OpenChat

pytestmark = [pytest.mark.anyio, pytest.mark.promise(7)]


async def started(chat: Chat, model: Model) -> str:
    """Start an answer, and return the conversation's id in mid-stream."""
    model.reply("half an ", "answer", Silence())
    await chat.send("send", text="go", model=model.id)
    frames = await chat.until(lambda frame: frame.get("content") == "answer")
    return str(frames[0]["data"]["session_id"])


async def stopped(chat: Chat, model: Model, since: float) -> None:
    frames = await chat.until("done")
    assert frames[-1]["status"] == "cancelled"
    assert await (await model.request()).closed() - since < 4  # a model is silent for a minute
    assert without_gaps(chat.all)


@pytest.mark.promise(3, 7)
async def test_a_stop_in_mid_stream_keeps_the_text(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    session_id = await started(chat, model)
    since = time.monotonic()
    await chat.send("cancel")
    await stopped(chat, model, since)
    again = await (await open_chat()).resume(session_id)
    assert again["messages"][-1]["content"] == "half an answer"
    assert again["messages"][-1]["status"] == "cancelled"
    assert text(await chat.say("go on", model="echo")) == "You said: go on"


@pytest.mark.parametrize("steps", [(Silence(),), (Headers(), Silence())])
async def test_a_stop_before_the_first_piece_closes_the_request(
    open_chat: OpenChat, model: Model, steps: tuple[Headers | Silence, ...]
) -> None:
    model.reply(*steps)
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    await model.request()
    since = time.monotonic()
    await chat.send("cancel")
    await stopped(chat, model, since)


async def test_a_stop_right_after_the_send_cancels_it(open_chat: OpenChat, model: Model) -> None:
    model.reply(Silence())
    chat = await open_chat()
    await chat.send("send", text="go", model=model.id)
    await chat.send("cancel")
    assert (await chat.until("done"))[-1]["status"] == "cancelled"


async def test_a_stop_from_another_tab_reaches_both(open_chat: OpenChat, model: Model) -> None:
    chat, tab = await open_chat(), await open_chat()
    await tab.resume(await started(chat, model))
    since = time.monotonic()
    await tab.send("cancel")
    await stopped(chat, model, since)
    assert (await tab.until("done"))[-1]["status"] == "cancelled"


async def test_the_queue_continues_after_a_stop(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await started(chat, model)
    await chat.send("send", text="next", client_id=f"{model.id}-next")
    await chat.until("message_created")
    await chat.send("cancel")
    assert (await chat.until("done"))[-1]["status"] == "cancelled"
    done = (await chat.until("done"))[-1]
    assert (done["client_id"], done["status"]) == (f"{model.id}-next", "completed")


async def test_the_stop_command_cancels_the_answer(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await started(chat, model)
    await chat.send("send", text="/stop")
    ends = [(await chat.until("done"))[-1] for _ in range(2)]
    assert sorted(end["status"] for end in ends) == ["cancelled", "completed"]
