"""Writing for an older Talos: version 1 of the archive, and what it has no keys for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chat.transfer.archive.format import (
    Archived,
    ArchivedCall,
    ArchivedConversation,
    ArchivedMessage,
    ArchivedRule,
    ArchivedTurn,
)

_PARTS: dict[str, type[Archived]] = {
    "rules": ArchivedRule,
    "turn": ArchivedTurn,
    "calls": ArchivedCall,
}
"""The parts of an archive that are objects, by their keys."""
_NAMES = {
    "offers_tools": "tool setting",
    "error_details": "error detail",
    "note": "note",
    "context_tokens": "context size",
    "context_window": "context window",
    "opaque": "opaque part",
}
"""Readable names, in the singular, of the keys that came later."""


class FirstVersion:
    """Converts conversations to version 1, and counts what had to be left out."""

    def __init__(self) -> None:
        self._left_out: Counter[str] = Counter()
        """Values other than the default, by key."""

    @property
    def left_out(self) -> str:
        """For example, `3 error details, 12 opaque parts`; empty if nothing was left out."""
        counted = [(self._left_out[key], name) for key, name in _NAMES.items()]
        return ", ".join(f"{n:,} {name}{'s' if n > 1 else ''}" for n, name in counted if n)

    def head(self, head: dict[str, Any]) -> dict[str, Any]:
        """Convert all keys of a conversation except its messages."""
        return {**self._reduce(ArchivedConversation, head), "version": 1}

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        return self._reduce(ArchivedMessage, message)

    def _reduce(self, part: type[Archived], values: dict[str, Any]) -> dict[str, Any]:
        """Drop the keys that have a default: see `format.py`."""
        kept = {}
        for key, value in values.items():
            field = part.model_fields[key]
            if field.is_required():
                kept[key] = self._reduce_value(key, value)
            elif isinstance(value, list | tuple):
                self._left_out[key] += len(value)
            elif value != field.default:
                self._left_out[key] += 1
        return kept

    def _reduce_value(self, key: str, value: Any) -> Any:
        part = _PARTS.get(key)
        if part is None or not value:
            return value
        if isinstance(value, dict):
            return self._reduce(part, value)
        return [self._reduce(part, each) for each in value]
