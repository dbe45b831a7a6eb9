"""How much of a long text fits into one frame or page."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from chat.protocol.limits import SNAPSHOT_CONTENT_BYTES

SHOWN = SNAPSHOT_CONTENT_BYTES + 1
"""One more than a snapshot or a page has of any text, to tell that it was cut."""


def json_size(text: str) -> int:
    """Return the bytes that a text takes in a frame, where a control character takes six."""
    return len(orjson.dumps(text)) - 2


def cut(text: str, most: int) -> str:
    """Return the beginning of a text: at most so many bytes of UTF-8, whole code points."""
    if len(text) * 4 <= most:
        return text
    return text.encode()[:most].decode(errors="ignore")


def cut_for_json(text: str, most: int) -> str:
    """Cut a text to so many bytes in a frame."""
    text = cut(text, most)
    while (size := json_size(text)) > most:
        text = text[: len(text) * most // (size + 1)]
    return text


def fair_share(sizes: Iterable[int], room: int) -> int:
    """Return the most that each may take, where small ones leave the rest of their share to others."""
    ordered, left = sorted(sizes), room
    for taken, size in enumerate(ordered):
        share = left // (len(ordered) - taken)
        if size > share:
            return share
        left -= size
    return room
