"""Tools can be turned off: in one conversation, or for one model in all of them."""

from __future__ import annotations

import pytest

from tests.support.client import Chat
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


async def typed(chat: Chat, line: str) -> str:
    return str((await chat.say(line))[0]["content"])


async def test_a_command_switches_tools_for_a_conversation(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    await chat.say("go", model=model.id)
    assert "tools" in model.requests[-1].body
    assert (
        await typed(chat, "/tools off")
        == "Tools: off in this conversation. Type `/tools on` to turn them on."
    )
    assert "Tools: off in this conversation" in await typed(chat, "/status")
    assert "Tools: off in this conversation" in await typed(chat, "/tools")
    await chat.say("go on", model=model.id)
    assert "tools" not in model.requests[-1].body

    other = await open_chat()
    await other.say("go", model=model.id)
    assert "tools" in model.requests[-1].body

    assert await typed(chat, "/tools ON") == "Tools: on"
    await chat.say("and on", model=model.id)
    assert "tools" in model.requests[-1].body


async def test_the_command_explains_its_arguments_and_needs_a_conversation(
    open_chat: OpenChat,
) -> None:
    chat = await open_chat()
    assert "`/tools off`" in await typed(chat, "/tools maybe")
    assert "no conversation yet" in await typed(chat, "/tools off")
    assert (await typed(chat, "/tools")).endswith("Tools: on")
