"""Whole messages that servers send besides deltas, or instead of them."""

from __future__ import annotations

from chat.llm.base import (
    Opaque,
    Reasoning,
    Stop,
    Text,
    ToolRequest,
)
from tests.llm.test_chunks import SOURCE, STOP, answer, delta


def test_a_message_beside_deltas_is_not_read_twice() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a":1}'}}
    whole = {"content": "Hello", "reasoning": "hm", "tool_calls": [call]}
    first, second, last = delta(reasoning="hm"), delta(content="Hel"), delta(content="lo")
    first["choices"][0]["message"] = {"reasoning": "hm"}
    second["choices"][0]["message"] = {"content": "Hel"}
    last["choices"][0]["message"] = {"content": "Hello"}
    end = delta("stop", tool_calls=[call])
    end["choices"][0]["message"] = whole
    events = answer(first, second, last, end, {"choices": [{"message": whole}]})
    assert events == [
        Reasoning("hm"),
        Text("Hel"),
        Text("lo"),
        Opaque("reasoning", SOURCE, "hm"),
        ToolRequest("c", "f", '{"a":1}'),
        Stop("tool_calls"),
    ]


def test_fields_only_in_the_last_message_are_read() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    end = {"choices": [{"delta": {}, "message": {"content": "a", "tool_calls": [call]}}]}
    events = answer(delta(content="a"), end, delta("tool_calls"))
    assert events == [Text("a"), ToolRequest("c", "f", "{}"), Stop("tool_calls")]


def test_messages_may_replace_deltas() -> None:
    chunks = [{"choices": [{"message": {"content": word}}]} for word in ("a", "b")]
    assert answer(*chunks, STOP) == [Text("a"), Text("b"), Stop("stop")]
