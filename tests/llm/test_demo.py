from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.llm import demo_texts
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Reasoning,
    Request,
    Stop,
    SystemMessage,
    Text,
    ToolMessage,
    ToolRequest,
    ToolSpec,
    Usage,
    UserMessage,
)
from chat.llm.demo import DemoModel, words
from chat.llm.scripted import TITLE_PROMPT
from tests.llm.conftest import everything

pytestmark = pytest.mark.anyio

TOOLS = tuple(ToolSpec(n, "", {}) for n in ("current_time", "calculate", "write_file"))


def request(*messages: ModelMessage, tools: tuple[ToolSpec, ...] = TOOLS) -> Request:
    return Request("demo", messages, tools)


async def text_of(asked: Request) -> str:
    events = await everything(DemoModel(pace=0), asked)
    return "".join(event.content for event in events if isinstance(event, Text))


async def said(text: str) -> str:
    return await text_of(request(UserMessage(text)))


async def test_it_says_what_it_is_and_how_to_connect_a_model() -> None:
    greeting = await said("Hello!")
    assert "scripted demo" in greeting
    assert "OPENAI_API_KEY" in greeting
    assert "scripted demo" in await said("Why is the sky blue? 🌍")


async def test_it_streams_word_by_word_and_counts() -> None:
    *pieces, usage, stop = await everything(DemoModel(pace=0), request(UserMessage("hello")))
    assert len(pieces) > 100
    assert usage == Usage(1, len(pieces))
    assert stop == Stop("stop")


@given(st.text(max_size=100))
def test_words_joined_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text


@pytest.mark.parametrize("text", [demo_texts.GREETING, demo_texts.CODE, demo_texts.LONG])
def test_no_piece_is_long(text: str) -> None:
    assert max(map(len, words(text))) < 80


async def test_it_has_a_small_repertoire() -> None:
    assert "```python" in await said("show me some code")
    assert "|---" in await said("a table, please") or "|:---" in await said("a table, please")
    assert await said("count to 500") == " ".join(map(str, range(1, 501)))
    assert len(await said("something long")) > 5000
    assert len(await said("count to 999999999999")) < 200_000


async def test_it_thinks_when_asked() -> None:
    events = await everything(DemoModel(pace=0), request(UserMessage("think about it")))
    assert isinstance(events[0], Reasoning)
    assert any(isinstance(event, Text) for event in events)


@pytest.mark.parametrize(
    ("asked", "name", "arguments"),
    [
        ("What time is it?", "current_time", {}),
        ("what is 12*7", "calculate", {"expression": "12*7"}),
        ("(1 + 2) * 3?", "calculate", {"expression": "(1 + 2) * 3"}),
        ("12 plus 7", "calculate", {"expression": "12 + 7"}),
        ("Write a note: buy milk", "write_file", {"path": "note.md", "content": "buy milk\n"}),
        ("write a note 你好", "write_file", {"path": "note.md", "content": "你好\n"}),
    ],
)
async def test_it_asks_for_tools(asked: str, name: str, arguments: dict[str, str]) -> None:
    events = await everything(DemoModel(pace=0), request(UserMessage(asked)))
    (call,) = (event for event in events if isinstance(event, ToolRequest))
    assert (call.name, json.loads(call.arguments)) == (name, arguments)
    assert events[-1] == Stop("tool_calls")


async def test_it_asks_for_no_tool_that_is_not_offered() -> None:
    events = await everything(DemoModel(pace=0), request(UserMessage("what is 1+1"), tools=()))
    assert not any(isinstance(event, ToolRequest) for event in events)


@pytest.mark.parametrize("asked", ["I was born in 2001", "3 cats and 4 dogs", "some time ago"])
async def test_numbers_alone_are_no_sum(asked: str) -> None:
    assert "scripted demo" in await said(asked)


@pytest.mark.parametrize(
    ("result", "expected"),
    [("84", "**84**"), ("The call was denied.", "did not allow"), ("a\nb", "a\nb")],
)
async def test_it_uses_the_result_of_a_tool(result: str, expected: str) -> None:
    call = ToolRequest("a", "calculate", "{}")
    follow_up = request(
        UserMessage("12*7"), AssistantMessage("", (call,)), ToolMessage("a", "calculate", result)
    )
    assert expected in await text_of(follow_up)


async def test_it_titles_conversations() -> None:
    prompt = SystemMessage(f"{TITLE_PROMPT} of at most six words.")
    asked = UserMessage("how do I bake a good loaf of bread?")
    assert await text_of(request(prompt, asked)) == "How do I bake a good"
    assert await text_of(request(prompt, UserMessage("?"))) != ""


@pytest.mark.parametrize("text", ["1+" * 30_000, "1 " * 30_000, "write " * 10_000, " " * 60_000])
async def test_no_question_takes_long(text: str) -> None:
    began = time.process_time()
    await said(text)
    assert time.process_time() - began < 1
