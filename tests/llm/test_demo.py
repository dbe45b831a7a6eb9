"""The demo model: its greeting, its few tricks with tools, and its titles."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from chat.llm.demo import texts
from chat.llm.demo.client import DemoModel, split_words
from chat.llm.demo.scripted import TITLE_PROMPT
from tests.llm.conftest import everything
from tools.sandbox.arithmetic import evaluate

pytestmark = pytest.mark.anyio

TOOLS = tuple(ToolSpec(n, "", {}) for n in ("current_time", "calculate", "write_file"))


def request(*messages: ModelMessage, tools: tuple[ToolSpec, ...] = TOOLS) -> Request:
    return Request("demo", messages, tools)


async def text_of(asked: Request) -> str:
    events = await everything(DemoModel(pace=0), asked)
    return "".join(event.content for event in events if isinstance(event, Text))


async def answer_to(text: str) -> str:
    return await text_of(request(UserMessage(text)))


async def test_it_says_what_it_is_and_how_to_connect_a_model() -> None:
    greeting = await answer_to("Hello!")
    assert "scripted demo" in greeting
    assert "OPENAI_API_KEY" in greeting
    assert "scripted demo" in await answer_to("Why is the sky blue? 🌍")


async def test_it_streams_word_by_word_and_counts() -> None:
    *pieces, usage, stop = await everything(DemoModel(pace=0), request(UserMessage("hello")))
    assert len(pieces) > 100
    assert usage == Usage(1, len(pieces))
    assert stop == Stop("stop")


@given(st.text(max_size=100))
def test_words_joined_are_the_text(text: str) -> None:
    assert "".join(split_words(text)) == text


@pytest.mark.parametrize("text", [texts.GREETING, texts.CODE, texts.LONG])
def test_no_piece_is_long(text: str) -> None:
    assert max(map(len, split_words(text))) < 80


async def test_it_has_a_small_repertoire() -> None:
    assert "```python" in await answer_to("show me some code")
    assert "|---" in await answer_to("a table, please") or "|:---" in await answer_to(
        "a table, please"
    )
    assert await answer_to("count to 500") == " ".join(map(str, range(1, 501)))
    assert len(await answer_to("something long")) > 5000
    assert len(await answer_to("count to 999999999999")) < 200_000


async def test_it_thinks_when_asked() -> None:
    events = await everything(DemoModel(pace=0), request(UserMessage("think about it")))
    assert isinstance(events[0], Reasoning)
    assert any(isinstance(event, Text) for event in events)


async def calls(asked: str) -> list[tuple[str, dict[str, str]]]:
    events = await everything(DemoModel(pace=0), request(UserMessage(asked)))
    found = [event for event in events if isinstance(event, ToolRequest)]
    assert events[-1] == Stop("tool_calls" if found else "stop")
    return [(call.name, json.loads(call.arguments)) for call in found]


@pytest.mark.parametrize(
    ("asked", "zone"),
    [
        ("What time is it?", None),
        ("current time", None),
        ("what's the date today?", None),
        ("What day is it?", None),
        ("what\N{RIGHT SINGLE QUOTATION MARK}s today's date?", None),
        ("tell me the time, please", None),
        ("What is the time?", None),
        ("what time is it in Tokyo?", "Tokyo"),
        ("What time is it in new york right now?", "new york"),
        ("current time in Europe/Paris", "Europe/Paris"),
        ("time in UTC", "UTC"),
    ],
)
async def test_it_asks_for_the_time(asked: str, zone: str | None) -> None:
    assert await calls(asked) == [("current_time", {"timezone": zone} if zone else {})]


@pytest.mark.parametrize(
    ("asked", "expression", "result"),
    [
        ("what is 12*7", "12*7", "84"),
        ("(1 + 2) * 3?", "(1 + 2) * 3", "9"),
        ("12 plus 7", "12 + 7", "19"),
        ("What is the sum of 3 and 4?", "3 + 4", "7"),
        ("add 3 and 4", "3 + 4", "7"),
        ("Add 1, 2 and 3.5, please", "1 + 2 + 3.5", "6.5"),
        ("multiply 6 by 7", "6 * 7", "42"),
        ("6 times 7", "6 * 7", "42"),
        ("how much is 6 x 7?", "6 * 7", "42"),
        ("10 divided by 4", "10 / 4", "2.5"),
        ("subtract 3 from 10", "10 - 3", "7"),
        ("What is 2^10?", "2**10", "1024"),
        ("What is 1,250 + 3?", "1250 + 3", "1253"),
        ("a sum (that is 3 + 4), please", "3 + 4", "7"),
        ("10/4", "10/4", "2.5"),
        ("7 minus -2", "7 - -2", "9"),
    ],
)
async def test_it_calculates(asked: str, expression: str, result: str) -> None:
    assert await calls(asked) == [("calculate", {"expression": expression})]
    assert evaluate(expression) == result


@pytest.mark.parametrize(
    ("asked", "content"),
    [
        ("Write a note: buy milk", "buy milk"),
        ("write a note 你好", "你好"),
        ("add a note: buy milk", "buy milk"),
        ("Note: buy milk", "buy milk"),
        ("Please make a short note saying buy milk", "buy milk"),
        ("remember this: 12*7 is 84", "12*7 is 84"),
        ("Could you take a note? Buy\nmilk", "Buy\nmilk"),
        ("write this down: buy milk", "buy milk"),
        ("create a note", "A note from the Talos demo."),
        ("make a note", "A note from the Talos demo."),
    ],
)
async def test_it_writes_notes(asked: str, content: str) -> None:
    assert await calls(asked) == [("write_file", {"path": "note.md", "content": f"{content}\n"})]


@pytest.mark.parametrize(
    "asked",
    [
        "I was born in 2001",
        "I was born on 2001-05-03",
        "we are open 24/7",
        "3 cats and 4 dogs",
        "add salt and pepper",
        "some time ago",
        "I had a good time",
        "I had a good time in Tokyo",
        "What is the time complexity of quicksort?",
        "What was the best time of your life?",
        "take note that ants are insects",
        "Note that ants are insects",
        "How do I write a note to my boss?",
        "I had to write a note yesterday",
        "I remember this well",
    ],
)
async def test_small_talk_calls_no_tool(asked: str) -> None:
    assert not await calls(asked)


async def test_it_calls_no_tool_that_is_not_offered() -> None:
    events = await everything(DemoModel(pace=0), request(UserMessage("what is 1+1"), tools=()))
    assert not any(isinstance(event, ToolRequest) for event in events)


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


@pytest.mark.parametrize("text", ["1+" * 30_000, "1 " * 30_000, "write a " * 10_000, " " * 60_000])
async def test_no_question_takes_long(text: str) -> None:
    began = time.process_time()
    await answer_to(text)
    assert time.process_time() - began < 1
