"""The JSON endpoints, over HTTP on the real server."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


async def get(address: str, path: str, expected: int = 200) -> Any:
    async with aiohttp.ClientSession() as http, http.get(f"{address}{path}") as answer:
        assert answer.status == expected
        return await answer.json() if expected == 200 else None


async def test_models(address: str) -> None:
    answer = await get(address, "/api/models")
    assert answer["current"] == "echo"
    demo = next(model for model in answer["models"] if model["id"] == "demo")
    assert demo["available"] is True
    for model in answer["models"]:
        assert set(model) - {"reason"} == {"id", "name", "provider", "available"}
        assert model["available"] or model["reason"]


async def test_suggestions_are_an_array_of_strings(address: str) -> None:
    answer = await get(address, "/api/chat/suggestions")
    assert len(answer) >= 3
    assert all(isinstance(text, str) for text in answer)


async def test_sessions_are_paged_latest_first(
    address: str, open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    await chat.new()  # without a message: not listed
    empty = chat.session_id
    await chat.new(model=model.id)
    await chat.say("hello")
    answer = await get(address, "/api/chat/sessions")
    ids = [session["id"] for session in answer["sessions"]]
    assert ids[0] == chat.session_id
    assert empty not in ids
    older = await get(address, f"/api/chat/sessions?before={chat.session_id}")
    assert [session["id"] for session in older["sessions"]][: len(ids) - 1] == ids[1:]


async def test_messages_are_complete_and_paged(
    address: str, open_chat: OpenChat, model: Model
) -> None:
    model.reply("ä" * 100_000)
    chat = await open_chat()
    await chat.new(model=model.id)
    for number in range(26):
        await chat.say(str(number))
    path = f"/api/chat/sessions/{chat.session_id}/messages"
    latest = await get(address, path)
    assert latest["has_more"] is True
    assert len(latest["messages"]) == 50
    first = await get(address, f"{path}?before={latest['messages'][0]['id']}")
    assert first["has_more"] is False
    assert [m["content"] for m in first["messages"]] == ["0", "ä" * 100_000]
    assert latest["messages"][0]["parent_id"] == first["messages"][-1]["id"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/chat/sessions/00000000-0000-4000-8000-000000000000/messages",
        "/api/chat/sessions?before=nonsense",
        "/api/chat/nothing",
    ],
)
async def test_an_unknown_address_is_404(address: str, path: str) -> None:
    await get(address, path, expected=404)
