"""Finds the end in Anthropic's and Gemini's own events; repairs those that LiteLLM misreads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

Event = dict[str, Any]

WITHHELD = "content_filter"


def end_of(event: Mapping[str, Any]) -> str:
    """Return the provider's own word for why the answer ends. LiteLLM may make one up."""
    if event.get("type") == "message_delta":
        return str(_object(event.get("delta")).get("stop_reason") or "")
    if _object(event.get("promptFeedback")).get("blockReason"):
        return WITHHELD
    reasons = (candidate.get("finishReason") for candidate in _candidates(event))
    return str(next(filter(None, reasons), ""))


def repair(event: Event) -> Iterable[Event]:
    """Return the event in the form that LiteLLM reads."""
    if event.get("type") == "content_block_start":
        return _block(event)
    for candidate in _candidates(event):
        for part in _object(candidate.get("content")).get("parts") or ():
            if isinstance(call := _object(part).get("functionCall"), dict):
                call["args"] = call.get("args") or {}  # absent where there are none
    return (event,)


def _block(event: Event) -> Iterator[Event]:
    """Move content at the start of a block into deltas, the only place where LiteLLM reads it."""
    yield event
    block, index = _object(event.get("content_block")), event.get("index")
    deltas: list[Event] = []
    match block.get("type"):
        case "tool_use" if block.get("input"):
            text = orjson.dumps(block["input"]).decode()
            deltas.append({"type": "input_json_delta", "partial_json": text})
        case "thinking":
            if thinking := block.get("thinking"):
                deltas.append({"type": "thinking_delta", "thinking": thinking})
            if signature := block.get("signature"):
                deltas.append({"type": "signature_delta", "signature": signature})
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}


def _candidates(event: Mapping[str, Any]) -> list[Event]:
    found = event.get("candidates")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
