"""Collects the opaque parts that an OpenAI-style server wants back with the next request.

Kinds are named like the fields: `reasoning_content` or `reasoning` (text), `reasoning_details` and
`thinking_blocks` (JSON lists). A call's `extra_content` is kept with the call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from chat.llm.base import Opaque
from chat.llm.failures import errors
from chat.llm.text import storable

_LISTS = frozenset({"reasoning_details", "thinking_blocks"})
_TEXTS = ("text", "summary", "thinking")
_TORN = ("reasoning.text", "reasoning.summary", "thinking")
"""The types of entries that arrive in fragments; all others arrive whole."""


class OpaqueParts:
    """The opaque parts of one answer."""

    def __init__(self) -> None:
        self.size = 0
        """The size of all entries, without texts that are also shown."""
        self._texts: dict[str, list[str]] = {}
        self._entries: dict[str, list[_Entry]] = {name: [] for name in sorted(_LISTS)}

    def add(self, delta: dict[str, Any]) -> None:
        """Add the fields of one delta other than its texts."""
        if delta.get("reasoning_content") == "":
            self._texts.setdefault("reasoning_content", [])
        for name, entries in self._entries.items() if not _LISTS.isdisjoint(delta) else ():
            for fragment in _objects(delta.get(name)):
                self.size += len(json_text(fragment))
                if not (entries and entries[-1].takes(fragment)):
                    entries.append(_Entry(fragment))

    def add_text(self, name: str, text: str) -> None:
        """Add a piece of reasoning from the field `name`."""
        if name in ("reasoning_content", "reasoning"):
            self._texts.setdefault(name, []).append(text)

    def parts(self, source: str, *, has_calls: bool) -> Iterator[Opaque]:
        """Yield all parts. With calls, DeepSeek wants even empty reasoning back."""
        for kind, pieces in self._texts.items():
            text = storable("".join(pieces))
            is_redundant = kind == "reasoning" and self._entries["reasoning_details"]
            if not is_redundant and (text or has_calls):
                yield Opaque(kind, source, text)
        for kind, entries in self._entries.items():
            if entries:
                yield Opaque(kind, source, json_text([entry.whole() for entry in entries]))


class _Entry:
    """One entry of a list, whose text arrives in fragments and whose signature arrives last.

    OpenRouter's documentation asks for the same entries in the same order, as its own SDK joins
    them; LiteLLM's proxy sends fragments of Anthropic's thinking blocks.
    """

    def __init__(self, first: dict[str, Any]) -> None:
        self._fields: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._add(first)

    def takes(self, fragment: dict[str, Any]) -> bool:
        """Join a fragment if it continues this entry; return whether it does."""
        is_sealed = self._fields.get("signature") and any(map(fragment.get, _TEXTS))
        if is_sealed or not self._is_same(fragment):
            return False
        self._add(fragment)
        return True

    def _is_same(self, fragment: dict[str, Any]) -> bool:
        kind = fragment.get("type")
        if kind != self._fields.get("type") or kind not in _TORN:
            return False
        pairs = ((self._fields.get(name), fragment.get(name)) for name in ("index", "id"))
        return all(a is None or b is None or a == b for a, b in pairs)

    def _add(self, fragment: dict[str, Any]) -> None:
        for name, value in fragment.items():
            if name in _TEXTS and isinstance(value, str):
                self._texts.setdefault(name, []).append(value)
                self._fields.setdefault(name, "")
            elif self._fields.get(name) in (None, ""):
                self._fields[name] = value

    def whole(self) -> dict[str, Any]:
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        return {**self._fields, **texts}


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def json_text(value: object) -> str:
    """Return compact, storable JSON. Raises `ModelError` if the value is nested too deeply."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # integers beyond 64 bits, lone surrogates, many levels
        pass
    try:
        return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (ValueError, RecursionError):
        raise errors.malformed() from None
