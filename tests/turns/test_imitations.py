"""Conversations with imitations of real model servers: their reasoning, tools and refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.client import kind, text
from tests.support.model_server import imitations
from tests.support.model_server.steps import Chunk
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio
Play = Callable[[imitations.Rule], None]
NO_TOOLS = "This model's server does not support tools, so it answered without them."


@pytest.fixture
def play(model: Model) -> Play:
    """Make the model server behave like this one."""

    def play(rule: imitations.Rule) -> None:
        model.server.rules[model.id] = rule

    return play


@pytest.mark.parametrize(
    "rule",
    [imitations.vllm, imitations.ollama_without_tools, imitations.openrouter_without_tools],
)
async def test_a_server_without_tool_support_answers_with_one_remark(
    open_chat: OpenChat, model: Model, play: Play, rule: imitations.Rule
) -> None:
    play(rule)
    chat = await open_chat()
    for _ in range(2):
        frames = await chat.say("What is 6*7?", model=model.id)
        assert text(frames) == "It is 42."
        assert frames[-1]["status"] == "completed"
    answers = (await chat.resume(chat.session_id))["messages"][1::2]
    assert [NO_TOOLS in answer.get("note", "") for answer in answers] == [True, False]
    assert "tools" not in model.requests[-1].body


@pytest.mark.parametrize(
    ("rule", "thoughts"),
    [
        (imitations.LlamaCpp(), "Sums are for the tool."),
        (imitations.ollama, "Six times seven …"),
        (imitations.openrouter, "Hm."),
    ],
)
async def test_reasoning_and_calls_work_with_every_imitated_server(
    open_chat: OpenChat, model: Model, play: Play, rule: imitations.Rule, thoughts: str
) -> None:
    play(rule)
    chat = await open_chat()
    for _ in range(2):
        frames = await chat.say("What is 6*7?", model=model.id)
        assert frames[-1]["status"] == "completed", frames
        assert text(frames).strip() == "It is 42."
        assert [f["data"]["content"] for f in frames if kind(f) == "tool_result"] == ["42"]
        thought = "".join(f["data"]["content"] for f in frames if kind(f) == "reasoning")
        assert thought.replace("\n", "").startswith(thoughts)


async def test_a_loading_server_is_waited_for(
    open_chat: OpenChat, model: Model, play: Play
) -> None:
    play(imitations.LlamaCpp(loads_for=2))
    chat = await open_chat()
    frames = await chat.say("What is 6*7?", model=model.id)
    assert text(frames) == "It is 42."
    notes = [f["data"]["note"] for f in frames if kind(f) == "status" and "note" in f["data"]]
    assert notes == ["The model is loading"]


async def test_one_bad_call_does_not_spoil_a_conversation(
    open_chat: OpenChat, model: Model, play: Play
) -> None:
    model.reply(Chunk(imitations.delta({"tool_calls": [imitations.tool_call("calculate", "{")]})))
    play(imitations.LlamaCpp())
    chat = await open_chat()
    for question in ("What is 6*7?", "And again?"):
        frames = await chat.say(question, model=model.id)
        assert frames[-1]["status"] == "completed", frames


async def test_a_full_context_drops_the_oldest_messages_with_a_remark(
    open_chat: OpenChat, model: Model, play: Play
) -> None:
    play(imitations.vllm_with_a_small_context)
    chat = await open_chat()
    for number in range(4):
        frames = await chat.say(f"{number} " + "word " * 600, model=model.id)
        assert text(frames) == "It fits."
    asked = model.requests[-1].body["messages"]
    assert not any((message["content"] or "").startswith("0 ") for message in asked)
    assert asked[-1]["content"].startswith("3 ")
    last = (await chat.resume(chat.session_id))["messages"][-1]
    assert "left out" in last["note"]
    assert last["context_window"] == 2048


async def test_the_reason_includes_the_providers_own_words(
    open_chat: OpenChat, model: Model, play: Play
) -> None:
    play(imitations.openrouter_at_its_limit)
    chat = await open_chat()
    frames = await chat.say("hi", model=model.id)
    (error,) = [frame for frame in frames if frame["type"] == "error"]
    assert "limit" in error["content"]
    assert "temporarily rate-limited upstream" in error["details"]
    answer = (await chat.resume(chat.session_id))["messages"][-1]
    assert answer["error_details"] == error["details"]
