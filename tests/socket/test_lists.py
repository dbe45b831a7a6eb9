"""Changes in the list of conversations are sent to all of the owner's connections."""

from __future__ import annotations

import pytest

from tests.support.client import Chat, kind
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


async def test_an_unseen_answer_is_unread_until_it_is_opened(
    open_chat: OpenChat, model: Model
) -> None:
    gate = Gate()
    model.reply("x", gate)
    chat, other = await open_chat(), await open_chat()
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    session_id = chat.session_id
    await chat.new()  # leave the first conversation
    gate.open()
    await other.title_of(session_id)
    await other.resume(session_id)
    frames = await other.until("conversation_changed")
    assert frames[-1]["data"] == {"session_id": session_id}
    before = changes(other).count(session_id)
    await other.resume(session_id)  # already read: nothing to send
    await other.nothing_more("title", "conversation_changed")
    assert changes(other).count(session_id) == before


def changes(chat: Chat) -> list[str]:
    """Return the conversations that were reported as changed."""
    return [f["data"]["session_id"] for f in chat.all if kind(f) == "conversation_changed"]


async def test_a_watched_answer_is_not_unread(open_chat: OpenChat) -> None:
    chat, other = await open_chat(), await open_chat()
    await chat.say("go")
    await other.resume(chat.session_id)
    await other.nothing_more("title", "conversation_changed")
    assert chat.session_id not in changes(other)
