"""Titles follow the first answer, never replace a person's, and never fail an answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.client import kind
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Gate, Status
from tests.support.servers import Model, OpenChat, OwnServer


@pytest.mark.anyio
async def test_the_title_comes_after_the_first_answer_only(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    frames = await chat.say("what is a monad?", model=model.id)
    session_id = frames[0]["data"]["session_id"]
    await chat.title_of(session_id)
    await chat.say("again", model=model.id)
    await chat.nothing_more()
    titles = [frame["data"] for frame in chat.all if kind(frame) == "title"]
    assert [title["session_id"] for title in titles].count(session_id) == 1


@pytest.mark.anyio
async def test_the_opening_words_serve_until_there_is_a_title(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("x", gate)
    chat = await open_chat()
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="what is\na monad, " + "really " * 20)
    await chat.until("delta")
    title = (await (await open_chat()).resume(session_id))["title"]
    assert title.startswith("what is a monad, really")
    assert len(title) <= 60
    gate.open()
    await chat.title_of(session_id)


@pytest.mark.anyio
async def test_a_title_set_by_a_person_stays(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("x", gate)
    chat = await connect(own_server.start())
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    await chat.until("delta")
    own_server.manage(
        "shell", "--no-imports", "-c",
        "from chat import services; from chat.access.owner import local_owner; "
        f"services.entitle(local_owner(), '{session_id}', 'Mine')",
    )  # fmt: skip
    assert await chat.title_of(session_id) == "Mine"
    gate.open()
    await chat.until("done")
    await chat.say("again")
    assert (await chat.resume(session_id))["title"] == "Mine"


@pytest.mark.anyio
async def test_a_failure_leaves_the_opening_words(
    own_server: OwnServer, connect: OpenChat, model_server: ModelServer, model: Model
) -> None:
    model_server.titles[model.id] = (Status(401),)
    chat = await connect(own_server.start())
    session_id = await chat.new(model=model.id)
    await chat.say("opening words")
    await chat.say("again")
    await chat.nothing_more()
    assert (await chat.resume(session_id))["title"] == "opening words"


@pytest.mark.anyio
async def test_the_next_answer_does_not_wait_for_a_title(
    open_chat: OpenChat, model: Model, model_server: ModelServer
) -> None:
    """A server that answers one request at a time would otherwise finish the title first."""
    never = Gate()
    model_server.titles[model.id] = (never, "Late")
    chat = await open_chat()
    await chat.say("first", model=model.id)
    session_id = chat.session_id
    asked = await asyncio.to_thread(model_server.title_request, model.id)
    model_server.titles[model.id] = ("In time",)
    await chat.send("send", text="second")
    await asked.closed()
    assert await chat.title_of(session_id) == "In time", "asked for after the next answer"
