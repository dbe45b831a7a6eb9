"""Opaque parts of an answer are kept exactly, to be sent back with the next request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chat.errors import ModelError
from chat.llm.base import Opaque
from chat.llm.stream.chunks import Answer
from chat.llm.stream.opaque import json_text

CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}


def opaque(*deltas: dict[str, Any]) -> dict[str, Any]:
    """Return the parts by kind: text, or decoded JSON."""
    read = Answer(source="host/model")
    chunks = [{"choices": [{"delta": delta}]} for delta in deltas]
    end = {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}
    events = [*read.read([*chunks, end]), *read.end()]
    found = [event for event in events if isinstance(event, Opaque)]
    assert all(part.source == "host/model" for part in found)
    is_json = ("reasoning_details", "thinking_blocks")
    return {p.kind: json.loads(p.data) if p.kind in is_json else p.data for p in found}


def test_reasoning_is_kept_as_in_its_field() -> None:
    said = opaque({"reasoning_content": " H\ud83d"}, {"reasoning_content": "\ude00m.\n\x00"})
    assert said == {"reasoning_content": " H😀m.\n\ufffd"}
    assert opaque({"reasoning": "Hm."}) == {"reasoning": "Hm."}
    assert opaque({"reasoning": "Hm.", "reasoning_content": "Hm."}) == {"reasoning_content": "Hm."}


def test_empty_fields_yield_no_parts() -> None:
    empty: dict[str, Any] = {"reasoning_content": "", "reasoning": None, "reasoning_details": []}
    assert opaque({"content": "<think>Hm.</think>"}, {"thinking": "Hm."}, empty) == {}


def test_empty_reasoning_before_a_call_is_kept() -> None:
    assert opaque({"reasoning_content": ""}, {"tool_calls": [CALL]}) == {"reasoning_content": ""}


def detail(kind: str = "text", **fields: object) -> dict[str, Any]:
    return {"reasoning_details": [{"type": f"reasoning.{kind}", **fields}]}


def test_fragments_of_one_detail_are_joined() -> None:
    said = opaque(
        {"reasoning": "H", **detail(text="H", index=0, format="f", signature=None)},
        {"reasoning": "m.", **detail(text="m.", index=0)},
        detail(index=0, signature="c2ln"),
    )
    entry = {"type": "reasoning.text", "text": "Hm.", "index": 0}
    assert said == {"reasoning_details": [{**entry, "format": "f", "signature": "c2ln"}]}


def test_details_keep_their_order_and_sealed_entries() -> None:
    sealed = {"data": "U2VhbGVk", "id": "call_1", "index": 1}
    said = opaque(
        detail("summary", summary="a", index=0),
        detail("encrypted", **sealed),
        detail("encrypted", **sealed),
        detail("summary", summary="b", index=0),
        detail("summary", summary="c", index=2),
        detail(text="d", index=2, signature="s"),
        detail(text="e", index=2, signature="t"),
    )["reasoning_details"]
    texts = [entry.get("summary") or entry.get("text") or entry["data"] for entry in said]
    assert texts == ["a", "U2VhbGVk", "U2VhbGVk", "b", "c", "d", "e"]
    assert [entry.get("signature") for entry in said[-2:]] == ["s", "t"]


def test_fragments_of_thinking_blocks_are_joined() -> None:
    blocks = [
        {"type": "thinking", "thinking": "H", "signature": ""},
        {"type": "thinking", "thinking": "m."},
        {"type": "thinking", "thinking": "", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    said = opaque(*({"thinking_blocks": [block]} for block in blocks))
    first = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    assert said == {"thinking_blocks": [first, blocks[-1]]}


def test_nonsense_is_ignored() -> None:
    assert opaque({"reasoning_details": ["x", 1], "thinking_blocks": {"a": 1}}) == {}


def test_any_json_can_be_stored() -> None:
    assert json_text({"n": 10**30, "s": "\ud83d\x00"}) == f'{{"n":{10**30},"s":"\ufffd\\u0000"}}'
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ModelError):
        json_text(deep)
