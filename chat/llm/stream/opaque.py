"""What an OpenAI-style server wants back with the next request, collected from its stream.

Kinds are named like the fields: `reasoning_content` or `reasoning` (text), `reasoning_details` and
`thinking_blocks` (JSON lists). `extra_content` of a call is kept with the call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from chat.llm.base import Opaque
from chat.llm.failures import failures
from chat.llm.text import clean

_LISTS = frozenset({"reasoning_details", "thinking_blocks"})
_TEXTS = ("text", "summary", "thinking")
_TORN = ("reasoning.text", "reasoning.summary", "thinking")
"""The types of entries that come in fragments; all others come whole."""


class OpaqueParts:
    """Those of one answer."""

    def __init__(self) -> None:
        self.size = 0
        """Of what is not text that is shown as well."""
        self._texts: dict[str, list[str]] = {}
        self._entries: dict[str, list[_Entry]] = {name: [] for name in sorted(_LISTS)}

    def add(self, delta: dict[str, Any]) -> None:
        """The fields of one delta beside its texts."""
        if delta.get("reasoning_content") == "":
            self._texts.setdefault("reasoning_content", [])
        for name, entries in self._entries.items() if not _LISTS.isdisjoint(delta) else ():
            for fragment in _objects(delta.get(name)):
                self.size += len(json_text(fragment))
                if not (entries and entries[-1].takes(fragment)):
                    entries.append(_Entry(fragment))

    def add_text(self, name: str, text: str) -> None:
        """A piece of reasoning, as the field of that name had it."""
        if name in ("reasoning_content", "reasoning"):
            self._texts.setdefault(name, []).append(text)

    def parts(self, source: str, *, has_calls: bool) -> Iterator[Opaque]:
        """All of them. DeepSeek wants an empty thought back, too, if there were calls."""
        for kind, pieces in self._texts.items():
            text = clean("".join(pieces))
            is_told_better = kind == "reasoning" and self._entries["reasoning_details"]
            if not is_told_better and (text or has_calls):
                yield Opaque(kind, source, text)
        for kind, entries in self._entries.items():
            if entries:
                yield Opaque(kind, source, json_text([entry.whole() for entry in entries]))


class _Entry:
    """One entry of a list, whose text comes in fragments and whose signature comes last.

    OpenRouter's documentation asks for the same entries in the same order, as its own SDK joins
    them; LiteLLM's proxy has fragments of Anthropic's thinking blocks.
    """

    def __init__(self, first: dict[str, Any]) -> None:
        self._fields: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._add(first)

    def takes(self, fragment: dict[str, Any]) -> bool:
        """Join a fragment, if it goes on with this entry."""
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
    """Compact JSON that can be stored. Raises `ModelError` for what is nested too deeply."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # integers beyond 64 bits, lone surrogates, many levels
        pass
    try:
        return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (ValueError, RecursionError):
        raise failures.malformed() from None
