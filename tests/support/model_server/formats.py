"""The interface of a provider's format, and helpers that all formats share.

One module per format renders the steps; the server and `Reply` know nothing of the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support.model_server import steps as s


@dataclass(frozen=True)
class Asked:
    """The content of a request, whatever its format."""

    model: str
    system: str
    last: str | None
    """The user's last message."""


class Format(Protocol):
    """One answer; it may keep state from step to step."""

    def pieces(self, step: s.Step) -> Iterator[bytes]:
        """Yield the events of a step that writes something."""
        ...

    def ending(self, reason: str, tokens: s.Tokens | None) -> Iterator[bytes]:
        """Yield the events of a proper end. `reason` is OpenAI's finish reason."""
        ...


def text_of(content: Any) -> str:
    """Return the text of content: a string, or a list of parts with a text."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def event(body: dict[str, Any], name: str | None = None, end: bytes = b"\n\n") -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + json.dumps(body).encode() + end


def fragments(call: s.Call) -> Iterator[str]:
    for at in range(0, len(call.arguments), call.every):
        yield call.arguments[at : at + call.every]
