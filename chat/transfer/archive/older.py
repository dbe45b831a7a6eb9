"""What is written for an older Talos: version 1 of the archive, and what it has no keys for."""

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
"""By the key under which they stand."""
_NAMES = {
    "offers_tools": "tool setting",
    "error_details": "error detail",
    "note": "note",
    "context_tokens": "context size",
    "context_window": "context window",
    "opaque": "opaque part",
}
"""Of the keys that came later, for people: of one of them."""


class FirstVersion:
    """Conversations in version 1, and a count of what had to be left out of them."""

    def __init__(self) -> None:
        self._left_out: Counter[str] = Counter()
        """By key: values that are not the default."""

    @property
    def left_out(self) -> str:
        """`3 error details, 12 opaque parts`; empty: nothing."""
        counted = [(self._left_out[key], name) for key, name in _NAMES.items()]
        return ", ".join(f"{n:,} {name}{'s' if n > 1 else ''}" for n, name in counted if n)

    def head(self, head: dict[str, Any]) -> dict[str, Any]:
        """All keys of a conversation but its messages."""
        return {**self._reduced(ArchivedConversation, head), "version": 1}

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        return self._reduced(ArchivedMessage, message)

    def _reduced(self, part: type[Archived], values: dict[str, Any]) -> dict[str, Any]:
        """Without the keys that have a default: see `format.py`."""
        kept = {}
        for key, value in values.items():
            field = part.model_fields[key]
            if field.is_required():
                kept[key] = self._below(key, value)
            elif isinstance(value, list | tuple):
                self._left_out[key] += len(value)
            elif value != field.default:
                self._left_out[key] += 1
        return kept

    def _below(self, key: str, value: Any) -> Any:
        part = _PARTS.get(key)
        if part is None or not value:
            return value
        if isinstance(value, dict):
            return self._reduced(part, value)
        return [self._reduced(part, each) for each in value]
