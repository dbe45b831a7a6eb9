"""Tracking the quotes and list items of Markdown, which contain other blocks, in linear time."""

from __future__ import annotations

import re

_QUOTE = re.compile(" {0,3}> ?")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?: {1,4}(?=[^ ])| |$)")
_INDENTS = [re.compile(" " * width) for width in range(20)]
_MOST = 32
"""The deepest nesting that is told apart."""


class Containers:
    """The containers that are open, line by line."""

    def __init__(self) -> None:
        self._open: list[re.Pattern[str]] = []
        """For each, the pattern that begins its further lines."""
        self._line = ""
        self._kept = self._at = 0

    def read(self, line: str) -> bool:
        """Read the next line. Return False if it is not inside all open containers."""
        self._line = line.expandtabs(4).rstrip()
        self._kept = self._at = 0
        while self._kept < len(self._open) and self._continues(self._open[self._kept]):
            self._kept += 1
        return self._kept == len(self._open)

    def enter(self, *, is_lazy: bool) -> bool:
        """Leave ended containers and enter those that begin in this line. Return False if none does.

        A lazy line only continues a paragraph, and stays inside all open containers.
        """
        new: list[re.Pattern[str]] = []
        while len(new) < _MOST and (found := self._match_opening()):
            indent = len(found[0]) + (found.end() == len(self._line))
            new.append(_QUOTE if ">" in found[0] else _INDENTS[indent])
            self._at = found.end()
        if new or not is_lazy:
            self._open = [*self._open[: self._kept], *new][:_MOST]
        return bool(new)

    def _continues(self, container: re.Pattern[str]) -> bool:
        if container is not _QUOTE and self._at >= len(self._line):
            return True  # a blank line ends no item
        found = container.match(self._line, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def _match_opening(self) -> re.Match[str] | None:
        return _QUOTE.match(self._line, self._at) or _ITEM.match(self._line, self._at)
