"""Several tabs of one conversation see the same thing."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


@pytest.mark.promise(2)
async def test_two_tabs_see_the_same_frames(open_chat: OpenChat, model: Model) -> None:
    model.reply("one ", "two ", "three")
    chat, tab = await open_chat(), await open_chat()
    await tab.resume(await chat.new(model=model.id))
    frames, others = await asyncio.gather(chat.say("go", client_id=model.id), tab.until("done"))
    assert frames == others
    assert others[0]["data"]["content"] == "go"


async def test_either_tab_can_send(open_chat: OpenChat, model: Model) -> None:
    chat, tab = await open_chat(), await open_chat()
    await tab.resume(await chat.new(model=model.id))
    await chat.say("one")
    await tab.until("done")
    here, there = await asyncio.gather(chat.until("done"), tab.say("two"))
    assert here == there


async def test_a_title_reaches_every_connection_of_the_owner(
    open_chat: OpenChat, model: Model
) -> None:
    chat, elsewhere = await open_chat(), await open_chat()
    session_id = await chat.new(model=model.id)
    await chat.say("go")
    assert await elsewhere.title_of(session_id) == "A scripted title"
