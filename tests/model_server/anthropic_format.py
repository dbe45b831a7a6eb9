"""Anthropic's Messages as a stream: `/v1/messages`.

Text, thinking and tool calls are numbered blocks, each with a start, deltas and a stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.model_server import steps as s
from tests.model_server.formats import Asked, event, fragments, text_of

REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def asked(body: dict[str, Any], model: str) -> Asked:
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    last = text_of(said[-1]) if said else None
    return Asked(model, text_of(body.get("system", "")), last)


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
    return {  # what came from the cache is not counted as input
        "input_tokens": tokens.prompt - tokens.cached,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": tokens.completion,
    }
