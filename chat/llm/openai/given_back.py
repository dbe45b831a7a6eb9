"""What goes back to the server and model that sent it: the opaque parts of an answer, as fields.

Each kind is named like the field that it came in, and goes back in. What does not read as its kind
should, as a file that was imported may hold it, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from chat.llm.base import CALL_ID, Opaque

Fields = dict[str, Any]

_TEXTS = frozenset({"reasoning_content", "reasoning"})
_LISTS = frozenset({"reasoning_details", "thinking_blocks"})


def of_message(parts: Iterable[Opaque]) -> Fields:
    """Fields for an assistant message."""
    fields: Fields = {}
    for part in parts:
        value = part.data if part.kind in _TEXTS else _objects(part)
        if value is not None:
            fields[part.kind] = fields[part.kind] + value if part.kind in fields else value
    return fields


def of_call(parts: Iterable[Opaque]) -> Fields:
    """Fields for a tool call."""
    contents = (_decoded(part.data) for part in parts if part.kind == "extra_content")
    return next(({"extra_content": each} for each in contents if isinstance(each, dict)), {})


def call_id(parts: Sequence[Opaque]) -> str | None:
    """A call's own id, where another one is stored in its place."""
    return next((part.data for part in parts if part.kind == CALL_ID and part.data), None)


def _objects(part: Opaque) -> list[Any] | None:
    value = _decoded(part.data) if part.kind in _LISTS else None
    is_right = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return value if is_right else None


def _decoded(data: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
