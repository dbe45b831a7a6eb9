"""The fields that return an answer's opaque parts to the server and model that sent them.

Each kind is named like its field. Malformed data, as an imported file may contain, is left out.
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
    """Return the fields for an assistant message."""
    fields: Fields = {}
    for part in parts:
        value = part.data if part.kind in _TEXTS else _objects(part)
        if value is not None:
            fields[part.kind] = fields[part.kind] + value if part.kind in fields else value
    return fields


def of_call(parts: Iterable[Opaque]) -> Fields:
    """Return the fields for a tool call."""
    contents = (_decode(part.data) for part in parts if part.kind == "extra_content")
    return next(({"extra_content": each} for each in contents if isinstance(each, dict)), {})


def call_id(parts: Sequence[Opaque]) -> str | None:
    """Return a call's own id if a different one is stored instead."""
    return next((part.data for part in parts if part.kind == CALL_ID and part.data), None)


def _objects(part: Opaque) -> list[Any] | None:
    value = _decode(part.data) if part.kind in _LISTS else None
    is_right = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return value if is_right else None


def _decode(data: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
