"""Finds text, reasoning and calls in the deltas of OpenAI-style servers."""

from __future__ import annotations

from typing import Any

SAID = ("content", "refusal")
THOUGHT = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
CALLED = ("tool_calls", "function_call")

_TEXTS = ("text", "thinking", "reasoning", "summary", "content", "refusal")
_DEPTH = 4  # Mistral's thinking is a part that is a list of parts


def reasoning_of(delta: dict[str, Any]) -> tuple[str, str]:
    """Return one field's name and text; some servers send the same piece under two names."""
    for name in THOUGHT:
        if (value := delta.get(name)) and (text := plain(value)):
            return name, text
    return "", ""


def split_content(content: object) -> tuple[str, str]:
    """Split content into reasoning and text."""
    thought: list[str] = []
    said: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        is_thought = isinstance(part, dict) and (
            part.get("type") in ("thinking", "reasoning") or "thinking" in part
        )
        (thought if is_thought else said).append(plain(part))
    return "".join(thought), "".join(said)


def plain(value: object, depth: int = _DEPTH) -> str:
    """Return the text in a string, an object or a list of them, ignoring anything else."""
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    if isinstance(value, list):
        return "".join(plain(part, depth - 1) for part in value)
    if isinstance(value, dict):
        return next((text for name in _TEXTS if (text := plain(value.get(name), depth - 1))), "")
    return ""


def without_given(
    message: dict[str, Any], *, said: bool, thought: bool, called: bool
) -> dict[str, Any]:
    """Return a whole message without the fields that deltas have already provided."""
    given = (*(SAID if said else ()), *(THOUGHT if thought else ()), *(CALLED if called else ()))
    return {name: value for name, value in message.items() if name not in given}
