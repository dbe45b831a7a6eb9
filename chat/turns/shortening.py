"""Shortens text between two words or characters."""

from __future__ import annotations

from itertools import takewhile
from unicodedata import category, combining

_JOINERS = "\u200c\u200d"


def shorten(line: str, length: int) -> str:
    """Cut a line to at most `length` code points, with an ellipsis if it was longer.

    Cuts between two words, or at least between two visible characters.
    """
    if len(line) <= length:
        return line
    room = length - 1
    space = line.rfind(" ", 0, room + 1)
    end = space if space > room // 2 else _border(line, room)
    return line[:end].rstrip(f"{_JOINERS} ") + "…"


def _border(line: str, end: int) -> int:
    """Return where a visible character begins, at `end` or before."""
    at = end
    while at > 0 and _goes_on(line, at):
        at -= 1
    return at or end


def _goes_on(line: str, at: int) -> bool:
    here, before = line[at], line[at - 1]
    if _is_regional(here) and _is_regional(before):
        return len([*takewhile(_is_regional, reversed(line[:at]))]) % 2 == 1
    return (
        category(here).startswith("M")
        or here in _JOINERS
        or "\U0001f3fb" <= here <= "\U0001f3ff"
        or "\U000e0020" <= here <= "\U000e007f"
        or "\u1160" <= here <= "\u11ff"
        or before == "\u200d"
        or combining(before) == 9  # a virama joins two consonants
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
