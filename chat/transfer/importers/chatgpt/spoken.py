"""Reading the words in a mark itself, independent of the export's metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_ONE = r"(?:turn\d{1,9}[a-z_]{1,30}\d{1,9}|L\d{1,9}(?:-L?\d{1,9})?)"
_REFERENCE = re.compile(rf"{_ONE}(?:\s*+,\s*+{_ONE})*+")
_WORDS = ("title", "name", "content", "text", "label", "query", "queries")
"""Keys in a mark's JSON whose values are words."""
_SPEAKING = {"cite": 0, "filecite": 0, "i": 0, "url": 1, "link_title": 1, "navlist": 1, "entity": 1}
"""By kind, how many of a mark's arguments may be words; for other kinds, all."""
_MAX_DEPTH = 4


def own_words(mark: str) -> list[str]:
    """Return the words of a newer mark, if it is complete."""
    if not (mark.startswith("\ue200") and mark.endswith("\ue201")):
        return []
    kind, *arguments = mark[1:-1].split("\ue202")
    return [text for text in map(_text, arguments[: _SPEAKING.get(kind)]) if text]


def _text(argument: str) -> str:
    """Return the words of an argument, or those in its JSON."""
    argument = argument.strip()
    if _REFERENCE.fullmatch(argument):
        return ""
    if argument[:1] not in ("[", "{"):
        return argument
    try:
        found = json.loads(argument)
    except (ValueError, RecursionError):
        return argument
    if isinstance(found, list) and len(found) > 1 and isinstance(found[1], str):
        return found[1]  # an entity has a kind, a name and a description
    return ", ".join(_held(found, _MAX_DEPTH))


def _held(found: Any, depth: int) -> Iterator[str]:
    if isinstance(found, str):
        if found and not _REFERENCE.fullmatch(found):
            yield found
    elif depth and isinstance(found, list):
        for one in found:
            yield from _held(one, depth - 1)
    elif depth and isinstance(found, dict):
        for key, one in found.items():
            if key in _WORDS or isinstance(one, dict | list):
                yield from _held(one, depth - 1)
