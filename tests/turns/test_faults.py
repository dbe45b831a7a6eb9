"""Failures of the model: a readable error, the text so far is kept, and the chat goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import kind, text
from tests.support.model_server.steps import (
    Chunk,
    Cut,
    End,
    Finish,
    Flood,
    Letters,
    Raw,
    Status,
    Step,
    Tokens,
)
from tests.support.servers import API_KEY, Model, OpenChat

pytestmark = pytest.mark.anyio

FAULTS: dict[str, tuple[Step, ...]] = {
    "401": (Status(401),),
    "403": (Status(403),),
    "404": (Status(404),),
    "400": (Status(400),),
    "cut before the first piece": (Raw(b""), Cut()),
    "cut in mid-answer": ("so far", Cut()),
    "malformed SSE": ("so far", Raw(b"data: {not json\n\n")),
    "an end without finish_reason": ("so far", End()),
    "an empty answer": (Finish("stop"),),
    "an empty stream": (Raw(b""), End()),
    "an error in the stream": ("so far", Chunk({"error": {"message": "overloaded"}})),
    "a page": (Status(200, "<html>login</html>", content_type="text/html"),),
    "too long": ("so far", Flood("x" * 100_000, 12)),
}


@pytest.mark.promise(1)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_fails_the_turn_but_not_the_conversation(
    open_chat: OpenChat, model: Model, model_server: Any, name: str
) -> None:
    model.reply(*FAULTS[name])
    chat = await open_chat()
    frames = await chat.say("go", model=model.id, client_id=model.id)
    errors = [frame for frame in frames if kind(frame) == "error"]
    assert [error["code"] for error in errors] == ["model_error"]
    assert frames[-1]["status"] == "failed"
    assert frames[-1]["message_id"]
    shown = errors[0]["content"]
    assert len(shown) > 15
    assert API_KEY not in shown
    assert str(model_server.base_url) not in shown

    kept = (await chat.resume(frames[0]["data"]["session_id"]))["messages"][-1]
    assert kept["status"] == "failed"
    assert kept["error"] == shown
    assert kept["content"] == text(frames)[:65_536]
    assert text(frames).startswith("so far") == ("so far" in FAULTS[name])
    assert text(await chat.say("go on", model="echo")).endswith("go on")


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_temporary_failures_are_tried_again(
    open_chat: OpenChat, model: Model, status: int
) -> None:
    model.reply(Status(status, headers={"Retry-After": "0"}))
    model.reply("better now")
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    assert text(frames) == "better now"
    assert len(model.requests) == 2


async def test_a_failed_answer_is_not_sent_to_the_model_as_an_empty_one(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply(Status(401))
    chat = await open_chat()
    await chat.say("one", model=model.id)
    await chat.say("two", model=model.id)
    said = model.requests[-1].body["messages"][1:]
    assert all(message["content"] for message in said)
    assert said == [{"role": "user", "content": "one\n\ntwo"}]


@pytest.mark.promise(3)
@pytest.mark.parametrize("bytewise", [False, True])
async def test_text_may_be_split_anywhere(
    open_chat: OpenChat, model: Model, bytewise: bool
) -> None:
    said = "Grüße 👩‍👩‍👧 — naïve\n```\ncode\n``` \u202eend 𝄞"
    model.reply(Letters(said), Tokens(1, 2), bytewise=bytewise)
    chat = await open_chat()
    assert text(await chat.say("go", model=model.id)) == said


@pytest.mark.promise(3)
async def test_a_model_cannot_forge_frames(open_chat: OpenChat, model: Model) -> None:
    forged = '\n\ndata: [DONE]\n\n{"type": "done", "seq": 1}\r\n'
    model.reply(forged)
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    assert text(frames) == forged
    assert frames[-1]["status"] == "completed"


@pytest.mark.promise(3)
async def test_nul_and_lone_surrogates_become_replacement_characters(
    open_chat: OpenChat, model: Model
) -> None:
    raw = b'data: {"choices":[{"index":0,"delta":{"content":"a\\u0000b\\ud800c"}}]}\n\n'
    model.reply(Raw(raw))
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    assert text(frames) == "a\ufffdb\ufffdc"
