"""Text from a model, made fit to store: no NUL and no lone surrogates.

SQLite takes both and PostgreSQL neither; a WebSocket frame cannot carry a lone surrogate. A model
server that splits an emoji's JSON escapes over two chunks sends halves that belong together.
"""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """The same text with surrogate pairs joined, and NUL and lone halves as U+FFFD."""
    if not _UNFIT.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "\ufffd")


class PieceCleaner:
    """Cleans one text that arrives in pieces: half a pair waits for the next piece."""

    def __init__(self) -> None:
        self._half = ""

    def is_whole(self, piece: str) -> bool:
        """Whether it is told as it is."""
        return not self._half and not _UNFIT.search(piece)

    def feed(self, piece: str) -> str:
        if self.is_whole(piece):
            return piece
        text = self._half + piece
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return clean(text.removesuffix(self._half))

    def end(self) -> str:
        """What waited in vain."""
        half, self._half = self._half, ""
        return clean(half)
