"""OpenAI's chat completions as a stream: `/v1/chat/completions`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.model_server import steps as s
from tests.support.model_server.formats import Asked, event, fragments, text_of


def asked(body: dict[str, Any], model: str) -> Asked:
    first = body["messages"][0] if body["messages"] else {}
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return Asked(model, text_of(first.get("content")), text_of(said[-1]) if said else None)


class OpenAIFormat:
    """One answer."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._wants_usage = (body.get("stream_options") or {}).get("include_usage")

    def pieces(self, step: s.Step) -> Iterator[bytes]:
        yield from map(event, chunks_of(step))

    def ending(self, reason: str, tokens: s.Tokens | None) -> Iterator[bytes]:
        yield event(_chunk({}, finish_reason=reason))
        if tokens is not None and self._wants_usage:
            yield event({"choices": [], "usage": _usage(tokens)})
        yield b"data: [DONE]\n\n"


def chunks_of(step: s.Step) -> Iterator[dict[str, Any]]:
    match step:
        case str():
            yield _chunk({"content": step})
        case s.Letters(text):
            yield from (_chunk({"content": letter}) for letter in text)
        case s.Think(text):
            yield _chunk({"reasoning_content": text})
        case s.Flood(text, times):
            yield from (_chunk({"content": text}) for _ in range(times))
        case s.Chunk(body):
            yield body
        case s.Call():
            yield from _call(step)


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}


def _call(call: s.Call) -> Iterator[dict[str, Any]]:
    first: dict[str, Any] = {"type": "function", "function": {"name": call.name, "arguments": ""}}
    if call.call_id is not None:
        first["id"] = call.call_id
    rest = [{"function": {"arguments": piece}} for piece in fragments(call)]
    for fragment in [first, *rest]:
        if call.index is not None:
            fragment["index"] = call.index
        yield _chunk({"tool_calls": [fragment]})


def _usage(tokens: s.Tokens) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
    }
