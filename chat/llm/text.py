"""Makes a model's text storable: no NUL and no lone surrogates.

SQLite accepts both, PostgreSQL neither; a WebSocket frame cannot carry a lone surrogate. A model
server that splits an emoji's JSON escapes across two chunks sends halves that belong together.
"""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with surrogate pairs joined, and NUL and lone halves replaced by U+FFFD."""
    if not _UNFIT.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "\ufffd")


class PieceCleaner:
    """Cleans one text that arrives in pieces; half a surrogate pair waits for the next piece."""

    def __init__(self) -> None:
        self._half = ""

    def is_whole(self, piece: str) -> bool:
        """Whether the piece can pass unchanged."""
        return not self._half and not _UNFIT.search(piece)

    def feed(self, piece: str) -> str:
        if self.is_whole(piece):
            return piece
        text = self._half + piece
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return storable(text.removesuffix(self._half))

    def end(self) -> str:
        """Return a held-back half that was never completed."""
        half, self._half = self._half, ""
        return storable(half)
