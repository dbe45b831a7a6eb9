from __future__ import annotations

from typing import Any

import pytest

from chat.errors import ModelError
from chat.llm.base import Reasoning, Stop, StreamEvent, Text, ToolRequest, Usage
from chat.llm.chunks import MAX_TEXT, Answer


def delta(finish_reason: str | None = None, **fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def answer(*chunks: dict[str, Any]) -> list[StreamEvent]:
    read = Answer()
    return [*read.read(chunks), *read.end()]


STOP = delta("stop")


def test_an_emoji_torn_over_two_chunks_is_joined() -> None:
    assert answer(delta(content="a\ud83d"), delta(content="\ude00"), STOP) == [
        Text("a"),
        Text("😀"),
        Stop("stop"),
    ]


def test_half_an_emoji_at_the_end_is_replaced() -> None:
    assert answer(delta(content="\ud83d"), STOP) == [Text("\ufffd"), Stop("stop")]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_has_two_names(field: str) -> None:
    said = answer(delta(**{field: "hm"}), delta(content="a"), STOP)
    assert said == [Reasoning("hm"), Text("a"), Stop("stop")]


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "a"}, {"type": "image_url"}, "b", 5, None],
        {"type": "text", "text": "ab"},
    ],
)
def test_content_may_be_in_parts(content: object) -> None:
    assert answer(delta(content=content), STOP) == [Text("ab"), Stop("stop")]


def test_a_refusal_is_what_the_model_says() -> None:
    assert answer(delta(refusal="No."), STOP) == [Text("No."), Stop("stop")]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
    ],
)
def test_finish_reasons(said: str, meant: str) -> None:
    assert answer(delta(content="a"), delta(said))[-1].reason == meant  # type: ignore[union-attr]


@pytest.mark.parametrize("said", ["error", "abort"])
def test_a_server_may_say_that_it_broke_off(said: str) -> None:
    with pytest.raises(ModelError, match="cut off"):
        answer(delta(content="a"), delta(said))


def test_the_last_usage_counts_wherever_it_stands() -> None:
    first = {**delta(content="a"), "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    last = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
    assert answer(first, STOP, last) == [Text("a"), Usage(9, 2, 0), Stop("stop")]


@pytest.mark.parametrize(
    "usage",
    [None, [], "x", {"prompt_tokens": "x", "completion_tokens": -1, "prompt_tokens_details": 5}],
)
def test_usage_may_be_nonsense(usage: object) -> None:
    events = answer({**delta(content="a"), "usage": usage}, STOP)
    assert events in ([Text("a"), Stop("stop")], [Text("a"), Usage(0, 0), Stop("stop")])


def test_the_older_function_call_is_a_tool_call() -> None:
    call = {"name": "f", "arguments": "{}"}
    _, stop = events = answer(delta(function_call=call), delta("function_call"))
    assert isinstance(events[0], ToolRequest)
    assert stop == Stop("tool_calls")


@pytest.mark.parametrize("said", [{"reasoning": "hm"}, {"content": "  \n"}])
def test_reasoning_or_blanks_alone_are_no_answer(said: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="was empty"):
        answer(delta(**said), STOP)


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": ["x"]},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {"content": None, "tool_calls": None, "unknown": 1}}]},
        {"unknown": 1},
        {"error": None},
    ],
)
def test_what_says_nothing_is_passed_over(chunk: dict[str, Any]) -> None:
    assert answer(chunk, delta(content="a"), STOP) == [Text("a"), Stop("stop")]


def test_the_text_has_a_limit() -> None:
    assert answer(delta(content="x" * MAX_TEXT), STOP)
    with pytest.raises(ModelError, match="larger"):
        answer(delta(content="é" * MAX_TEXT), STOP)
