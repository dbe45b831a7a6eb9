"""Anthropic's Messages API as a stream: `/v1/messages`.

Text, thinking and tool calls are numbered blocks, each with a start, deltas and a stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.model_server import steps as s
from tests.support.model_server.formats import Asked, event, fragments, text_of

REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


NO_COUNTS: dict[str, int] = {}


def asked(body: dict[str, Any], model: str) -> Asked:
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    last = text_of(said[-1]) if said else None
    return Asked(model, text_of(body.get("system", "")), last)


def message(
    *blocks: list[s.Step], stop: str = "end_turn", usage: dict[str, int] = NO_COUNTS
) -> list[s.Step]:
    """Return the whole script of an answer, block by block."""
    steps = begin("msg_1", usage)
    for index, block in enumerate(blocks):
        steps += (_with_index(step, index) for step in block)
    return steps + end(stop, usage)


def begin(message_id: str, usage: dict[str, int] = NO_COUNTS) -> list[s.Step]:
    head = {"id": message_id, "type": "message", "role": "assistant", "content": [], "model": "m"}
    counts = {"input_tokens": 3, **usage, "output_tokens": 1}
    return [s.Chunk({"type": "message_start", "message": {**head, "usage": counts}})]


def end(stop: str, usage: dict[str, int] = NO_COUNTS) -> list[s.Step]:
    delta = {"stop_reason": stop, "stop_sequence": None}
    last = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 2, **usage}}
    return [s.Chunk(last), s.Chunk({"type": "message_stop"}), s.End()]


def text(*pieces: str) -> list[s.Step]:
    return block({"type": "text", "text": ""}, *({"type": "text_delta", "text": p} for p in pieces))


def thinking(text: str, signature: str) -> list[s.Step]:
    thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in text]
    signed = {"type": "signature_delta", "signature": signature}
    return block({"type": "thinking", "thinking": "", "signature": ""}, *thoughts, signed)


def tool_use(call_id: str, name: str, *pieces: str) -> list[s.Step]:
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    return block({"type": "tool_use", "id": call_id, "name": name, "input": {}}, *deltas)


def block(start: dict[str, Any], *deltas: dict[str, Any]) -> list[s.Step]:
    """Return the chunks of one block, which `message` numbers."""
    first = s.Chunk({"type": "content_block_start", "index": 0, "content_block": start})
    pieces = [s.Chunk({"type": "content_block_delta", "index": 0, "delta": d}) for d in deltas]
    return [first, *pieces, s.Chunk({"type": "content_block_stop", "index": 0})]


def _with_index(step: s.Step, index: int) -> s.Step:
    return s.Chunk({**step.body, "index": index}) if isinstance(step, s.Chunk) else step


class AnthropicFormat:
    """One answer."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._model = body["model"]
        self._begun = False
        self._block = ""
        self._index = -1

    def pieces(self, step: s.Step) -> Iterator[bytes]:
        match step:
            case s.Chunk(body):
                yield _event(body)
                return
            case s.Call(name, _, call_id):
                block: dict[str, Any] = {
                    "type": "tool_use",
                    "id": call_id,
                    "name": name,
                    "input": {},
                }
                yield from self._opened(block, always=True)
                for piece in fragments(step):
                    yield self._delta({"type": "input_json_delta", "partial_json": piece})
            case s.Think(text):
                yield from self._opened({"type": "thinking", "thinking": "", "signature": ""})
                yield self._delta({"type": "thinking_delta", "thinking": text})
            case _:
                yield from self._opened({"type": "text", "text": ""})
                for text in _texts(step):
                    yield self._delta({"type": "text_delta", "text": text})

    def ending(self, reason: str, tokens: s.Tokens | None) -> Iterator[bytes]:
        yield from self._start()
        yield from self._closed()
        delta = {"stop_reason": REASONS[reason], "stop_sequence": None}
        usage = {"usage": _usage(tokens)} if tokens else {}
        yield _event({"type": "message_delta", "delta": delta, **usage})
        yield _event({"type": "message_stop"})

    def _start(self) -> Iterator[bytes]:
        if not self._begun:
            self._begun = True
            message = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
            yield _event({"type": "message_start", "message": {**message, "model": self._model}})
            yield _event({"type": "ping"})

    def _opened(self, block: dict[str, Any], *, always: bool = False) -> Iterator[bytes]:
        yield from self._start()
        if self._block == block["type"] and not always:
            return
        yield from self._closed()
        self._block = block["type"]
        self._index += 1
        yield _event({"type": "content_block_start", "index": self._index, "content_block": block})

    def _closed(self) -> Iterator[bytes]:
        if self._block == "thinking":
            yield self._delta({"type": "signature_delta", "signature": "c2lnbmVk"})
        if self._block:
            self._block = ""
            yield _event({"type": "content_block_stop", "index": self._index})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})


def _event(body: dict[str, Any]) -> bytes:
    return event(body, str(body.get("type", "message")))


def _texts(step: s.Step) -> Iterator[str]:
    match step:
        case str():
            yield step
        case s.Letters(text):
            yield from text
        case s.Flood(text, times):
            yield from (text for _ in range(times))


def _usage(tokens: s.Tokens) -> dict[str, int]:
    return {  # cached tokens do not count as input
        "input_tokens": tokens.prompt - tokens.cached,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": tokens.completion,
    }
