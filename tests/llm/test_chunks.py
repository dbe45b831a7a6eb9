"""Decoded chunks become stream events."""

from __future__ import annotations

from typing import Any

import pytest

from chat.errors import ModelError
from chat.llm.base import (
    Opaque,
    Reasoning,
    Stop,
    StreamEvent,
    Text,
    Thought,
    ToolRequest,
    Usage,
)
from chat.llm.stream.chunks import MAX_TEXT, Answer


def delta(finish_reason: str | None = None, **fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


SOURCE = "host/model"


def answer(*chunks: dict[str, Any], is_marked_done: bool = False) -> list[StreamEvent]:
    read = Answer(source=SOURCE)
    return [*read.read(chunks), *read.end(is_marked_done)]


def visible(*chunks: dict[str, Any]) -> list[StreamEvent]:
    """Return the events that a person sees."""
    events = answer(*chunks)
    return [event for event in events if isinstance(event, Text | Reasoning | Thought)]


def said_before_failing(read: Answer, *chunks: dict[str, Any]) -> list[StreamEvent]:
    told: list[StreamEvent] = []
    with pytest.raises(ModelError):
        for event in read.read(chunks):
            told.append(event)
    return told


STOP = delta("stop")


def test_an_emoji_split_across_two_chunks_is_joined() -> None:
    assert answer(delta(content="a\ud83d"), delta(content="\ude00"), STOP) == [
        Text("a"),
        Text("😀"),
        Stop("stop"),
    ]


def test_half_an_emoji_at_the_end_is_replaced() -> None:
    assert answer(delta(content="\ud83d"), STOP) == [Text("\ufffd"), Stop("stop")]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_has_several_names(field: str) -> None:
    said = answer(delta(**{field: "hm"}), delta(content="a"), STOP)
    assert said == [Reasoning("hm"), Text("a"), Opaque(field, SOURCE, "hm"), Stop("stop")]


@pytest.mark.parametrize(
    "thought",
    [
        {"reasoning": "hm", "reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
        {"reasoning_content": "hm", "content": [{"type": "thinking", "thinking": "hm"}]},
        {"thinking": "hm"},
        {"thinking": {"content": "hm"}},
        {"reasoning": {"summary": [{"type": "summary_text", "text": "hm"}]}},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": [{"type": "reasoning", "text": "hm"}]},
        {"content": {"type": "reasoning", "summary": [{"text": "hm"}]}},
    ],
)
def test_reasoning_is_shown_once_whatever_its_fields(thought: dict[str, Any]) -> None:
    assert visible(delta(**thought), delta(content="a"), STOP) == [Reasoning("hm"), Text("a")]


def test_parts_of_reasoning_and_text_may_come_together() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}]
    assert visible(delta(content=parts), STOP) == [Reasoning("hm"), Text("a")]


def test_endlessly_nested_content_is_ignored() -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    assert visible(delta(content=deep, reasoning=deep), delta(content="a"), STOP) == [Text("a")]


def test_think_tags_are_read_beside_a_reasoning_field() -> None:
    said = visible(
        delta(reasoning="h"), delta(content="<think>m</th"), delta(content="ink>a"), STOP
    )
    assert said == [Reasoning("h"), Reasoning("m"), Text("a")]


def test_a_lone_closing_tag_marks_all_text_before_it_as_reasoning() -> None:
    said = visible(delta(content="Hm."), delta(content="</think>"), delta(content="\na"), STOP)
    assert said == [Text("Hm."), Thought(), Text("\na")]


def test_reasoning_without_text_is_no_answer() -> None:
    read = Answer()
    with pytest.raises(ModelError, match="empty"):
        list(read.read([delta(content="<think>hm</think>"), STOP]))
        list(read.end())
    assert read.has_reasoning
    assert not read.has_words


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "a"}, {"type": "image_url"}, "b", 5, None],
        {"type": "text", "text": "ab"},
    ],
)
def test_content_may_be_in_parts(content: object) -> None:
    assert answer(delta(content=content), STOP) == [Text("ab"), Stop("stop")]


def test_a_refusal_counts_as_text() -> None:
    assert answer(delta(refusal="No."), STOP) == [Text("No."), Stop("stop")]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("MAX_TOKENS", "length"),
        ("max_output_tokens", "length"),
        ("FinishReason.MAX_TOKENS", "length"),
        ("model_length", "context"),
        ("model_context_window_exceeded", "context"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("tool_use", "tool_calls"),
    ],
)
def test_finish_reasons(said: str, meant: str) -> None:
    assert answer(delta(content="a"), delta(said))[-1].reason == meant  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "said",
    [
        "error",
        "abort",
        "ERROR",
        "insufficient_system_resource",
        "network_error",
        "MALFORMED_FUNCTION_CALL",
        "unexpected_tool_call",
    ],
)
def test_a_finish_reason_may_mean_an_interruption(said: str) -> None:
    words = said.lower().replace("_", " ")
    with pytest.raises(ModelError, match=f"stopped the answer early .{words}"):
        answer(delta(content="a"), delta(said))
    read = Answer()
    assert said_before_failing(read, delta(content="a<"), delta(said)) == [Text("a"), Text("<")]


def test_the_last_usage_counts_in_any_place() -> None:
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
def test_empty_chunks_are_ignored(chunk: dict[str, Any]) -> None:
    assert answer(chunk, delta(content="a"), STOP) == [Text("a"), Stop("stop")]


def test_the_text_has_a_limit() -> None:
    assert answer(delta(content="x" * MAX_TEXT), STOP)
    with pytest.raises(ModelError, match="larger"):
        answer(delta(content="é" * MAX_TEXT), STOP)


def test_done_ends_an_answer_without_a_reason() -> None:
    assert answer(delta(content="a"), is_marked_done=True) == [Text("a"), Stop("stop")]
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    assert answer(delta(tool_calls=[call]), is_marked_done=True)[-1] == Stop("tool_calls")
    with pytest.raises(ModelError, match="cut off"):
        answer(delta(content="a"))
    with pytest.raises(ModelError, match="empty"):
        answer(delta(content=""), is_marked_done=True)


def test_a_reason_before_the_first_word_does_not_end_the_answer() -> None:
    read = Answer()
    finished = []
    for chunk in (delta("stop", content=""), delta(content="a"), delta(content="b"), STOP):
        list(read.read([chunk]))
        finished.append(read.is_finished)
    assert finished == [False, False, False, True]
    assert list(read.end()) == [Stop("stop")]


def test_all_choices_are_one_answer() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}
    choices = [
        {"index": 0, "delta": {"content": "a"}},
        {"index": 1, "delta": {"tool_calls": [call]}},
    ]
    rest = delta(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}])
    events = answer({"choices": choices}, rest, delta("tool_calls"))
    assert events == [Text("a"), ToolRequest("c", "f", '{"a":1}'), Stop("tool_calls")]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"error": {"code": 429}}, "limiting"),
        ({"error": "it broke"}, "reported an error"),
        ({"error": True, "message": "x"}, "reported an error"),
        ({"object": "error", "message": "x", "code": 503}, "overloaded"),
        ({"type": "error", "message": "x"}, "reported an error"),
        ({"detail": "Internal Server Error"}, "reported an error"),
        ({"detail": [{"msg": "x"}]}, "reported an error"),
        ({"code": 429, "message": "x"}, "limiting"),
        ({"choices": None, "base_resp": {"status_code": 1008}}, "reported an error"),
        ({"choices": [{"delta": {"content": "b"}, "error": {"code": 429}}]}, "limiting"),
    ],
)
def test_errors_come_in_many_shapes(error: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        answer(delta(content="a"), error, STOP)


def test_text_beside_an_error_comes_first() -> None:
    last = {**delta("error", content="lo"), "error": {"code": 503}}
    assert said_before_failing(Answer(), delta(content="Hel"), last) == [Text("Hel"), Text("lo")]
    with pytest.raises(ModelError, match="overloaded"):
        answer(last)


def test_opaque_parts_count_as_progress() -> None:
    blob = {"type": "reasoning.encrypted", "data": "x" * 100_000}
    with pytest.raises(ModelError, match="larger"):
        answer(*[delta(reasoning_details=[blob])] * 11, delta(content="a"), STOP)
