"""How much of long texts goes into one frame or page."""

from __future__ import annotations

from collections.abc import Iterable

import orjson


def json_size(text: str) -> int:
    """Bytes of a text in a frame, where a control character is six."""
    return len(orjson.dumps(text)) - 2


def cut(text: str, most: int) -> str:
    """Its beginning: at most so many bytes of UTF-8, whole code points."""
    if len(text) * 4 <= most:
        return text
    return text.encode()[:most].decode(errors="ignore")


def cut_for_json(text: str, most: int) -> str:
    """The same, in bytes as a frame has them."""
    text = cut(text, most)
    while (size := json_size(text)) > most:
        text = text[: len(text) * most // (size + 1)]
    return text


def fair_share(sizes: Iterable[int], room: int) -> int:
    """How much each may take of a room, so that what is small leaves its own share to others."""
    ordered, left = sorted(sizes), room
    for taken, size in enumerate(ordered):
        share = left // (len(ordered) - taken)
        if size > share:
            return share
        left -= size
    return room
