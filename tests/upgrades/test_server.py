"""A server of this version on an older one's data: everything can be read and continued."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from django.contrib import admin

from tests.upgrades.conftest import Served
from tests.upgrades.kept import UNFINISHED, archive, conversations
from tests.upgrades.reading import branch, fetch, opened
from tests.upgrades.rows.talk import MODEL, key

pytestmark = pytest.mark.anyio
OWNER = "owner"


def kept(served: Served) -> list[dict[str, Any]]:
    """The owner's conversations, as the version itself exported them."""
    found = conversations(archive(served.upgraded.version)).values()
    return [conversation for conversation in found if conversation["owner"] == OWNER]


async def test_all_chats_are_listed(served: Served) -> None:
    listed = await fetch(served.address, "/api/chat/sessions")
    titles = {chat["id"]: chat["title"] for chat in listed["sessions"]}
    assert titles.keys() == {chat["id"] for chat in kept(served) if not chat["archived"]}
    given = [chat for chat in kept(served) if chat["titled_by"] != "opening"]
    assert all(titles[chat["id"]] == chat["title"] for chat in given)


async def test_all_messages_of_the_current_branch_are_there(served: Served) -> None:
    for chat in kept(served):
        path = f"/api/chat/sessions/{chat['id']}/messages"
        now = (await fetch(served.address, path))["messages"]
        for before, message in zip(branch(chat), now, strict=False):
            assert message["id"] == before["id"], chat["title"]
            is_over = before["turn"] is None or before["turn"]["status"] not in UNFINISHED
            assert message["content"].startswith(before["content"])
            assert message["content"] == before["content"] or not is_over
        assert len(now) >= len(branch(chat))


async def test_a_chat_can_be_resumed_and_continued_with_its_versions(served: Served) -> None:
    async with opened(served.address) as chat:
        snapshot = await chat.resume(str(key("with-branches")))
        assert [message["content"] for message in snapshot["messages"][:4]] == [
            "Name a colour.", "Red.", "Another one.", "Blue.",
        ]  # fmt: skip
        assert [len(message["siblings"]) for message in snapshot["messages"][:4]] == [2, 1, 1, 2]
        done = (await chat.say("And now?", model=MODEL))[-1]
        assert done["status"] == "completed"
        assert done["seq"] > snapshot["seq"] >= 20


@pytest.mark.promise(1)
async def test_a_message_that_is_sent_again_is_known(served: Served) -> None:
    async with opened(served.address) as chat:
        before = await chat.resume(str(key("with-every-end")))
        frames = await chat.say("Five", client_id="client-5")
        assert frames[-1]["status"] == "interrupted"
        after = await chat.resume(str(key("with-every-end")))
    assert after["messages"] == before["messages"]


async def test_a_chats_model_settings_still_apply(served: Served) -> None:
    async with opened(served.address) as chat:
        await chat.resume(str(key("with-settings")), context="full")
        assert (await chat.say("Shorter, please", model=MODEL))[-1]["status"] == "completed"
    bodies = [recorded.body for recorded in served.models.requests]
    (body,) = [body for body in bodies if body.get("temperature") == 0.7]
    system, *said = body["messages"]
    assert "Be brief, and say" in system["content"]
    assert "Answer in one sentence.\nNo “lists”." in system["content"]
    assert 500 in body.values(), "the output limit"
    assert [message["role"] for message in said] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("words", "found"),
    [("東京", "東京"), ("ORLEANS", "Orléans"), ("旅行", "旅行"), ("مرحبا", "مرحبا")],
)
async def test_words_are_found(served: Served, words: str, found: str) -> None:
    page = await fetch(served.address, f"/chats/?q={words}")
    assert f"<mark>{found}</mark>" in page


async def test_pages_open(served: Served) -> None:
    for path in ("/", "/settings/", "/chats/?archived=1", "/healthz", "/export/"):
        await fetch(served.address, path)
    for chat in kept(served):
        page = await fetch(served.address, f"/c/{chat['id']}/")
        assert str(chat["leaf"]) in page, chat["title"]
    with pytest.raises(aiohttp.ClientResponseError, match="404"):
        await fetch(served.address, f"/c/{key('of-somebody-else')}/")


async def test_the_admin_opens_every_list_and_every_transcript(served: Served) -> None:
    names = [model._meta for model in admin.site._registry]
    lists = [f"{name.app_label}/{name.model_name}/" for name in names]
    assert "chat/turn/" in lists
    chats = [f"chat/conversation/{chat['id']}/change/" for chat in kept(served)]
    for path in ("", *lists, *chats):
        await fetch(served.address, f"/admin/{path}")
