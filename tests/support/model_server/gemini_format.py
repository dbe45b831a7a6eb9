"""Gemini's answers as server-sent events: `/v1beta/models/<model>:streamGenerateContent`.

Tool calls are whole and have no ids. Arguments that are not JSON do not exist in this format; they
are sent under a name of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.model_server import steps as s
from tests.support.model_server.formats import Asked, event, text_of

REASONS = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}


def asked(body: dict[str, Any], model: str) -> Asked:
    system = body.get("system_instruction") or body.get("systemInstruction") or {}
    said = [content["parts"] for content in body["contents"] if content.get("role") == "user"]
    return Asked(model, text_of(system.get("parts")), text_of(said[-1]) if said else None)


def parts(*given: dict[str, Any], finish: str | None = None, **more: Any) -> s.Chunk:
    """Return one event; `more` has the fields besides its candidates."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(given)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return s.Chunk({"candidates": [candidate], "modelVersion": "m", **more})


class GeminiFormat:
    """One answer."""

    def __init__(self, body: dict[str, Any]) -> None:
        pass

    def pieces(self, step: s.Step) -> Iterator[bytes]:
        match step:
            case s.Chunk(body):
                yield event(body, end=b"\r\n\r\n")
            case s.Call():
                yield _chunk({"functionCall": {"name": step.name, "args": _arguments(step)}})
            case s.Think(text):
                yield _chunk({"text": text, "thought": True})
            case s.Letters(text):
                yield from (_chunk({"text": letter}) for letter in text)
            case s.Flood(text, times):
                yield from (_chunk({"text": text}) for _ in range(times))
            case str():
                yield _chunk({"text": step})

    def ending(self, reason: str, tokens: s.Tokens | None) -> Iterator[bytes]:
        yield _chunk({"text": ""}, reason=REASONS.get(reason, "STOP"), tokens=tokens)


def _chunk(
    part: dict[str, Any], *, reason: str | None = None, tokens: s.Tokens | None = None
) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
    body: dict[str, Any] = {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}
    if reason:
        candidate["finishReason"] = reason
    if tokens:
        body["usageMetadata"] = {
            "promptTokenCount": tokens.prompt,
            "candidatesTokenCount": tokens.completion,
            "cachedContentTokenCount": tokens.cached,
            "totalTokenCount": tokens.prompt + tokens.completion,
        }
    return event(body, end=b"\r\n\r\n")


def _arguments(call: s.Call) -> dict[str, Any]:
    try:
        read = json.loads(call.arguments or "{}")
    except ValueError:
        return {"written": call.arguments}
    return read if isinstance(read, dict) else {"written": call.arguments}
