"""Finds code in Markdown text that is still being written."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\n|`+|~+|[^\s`~]+")
_MARKER = re.compile(r">+|[-*+]|\d{1,9}[.)]")
"""Markers of quotes and list items, which may precede a fence on its line."""


class CodeMarks:
    """The code fences and spans of one text. Linear in time, bounded in memory."""

    def __init__(self) -> None:
        self._fence = ""  # the marks that opened it, all of one kind
        self._span = 0  # how many backticks opened it
        self._line_is_blank = True
        self._may_fence = True  # nothing but markers so far on this line
        self._opened_here = False
        self._closed_here = ""

    @property
    def is_code(self) -> bool:
        """Whether the next character would be code."""
        return bool(self._fence or self._span)

    def read(self, text: str) -> None:
        for match in _PIECE.finditer(text):
            piece = match[0]
            if piece == "\n":
                self._end_line()
            elif piece[0] in "`~":
                self._marks(piece)
            else:
                self._word(piece)

    def _end_line(self) -> None:
        if self._line_is_blank:  # the end of a paragraph also ends a span
            self._span = 0
        self._line_is_blank = self._may_fence = True
        self._opened_here, self._closed_here = False, ""

    def _marks(self, marks: str) -> None:
        if self._opened_here and marks[0] == self._fence[:1] == "`":  # ```a span```
            self._span, self._fence, self._opened_here = len(self._fence), "", False
        if self._may_fence and len(marks) >= 3:
            if not self._fence:
                self._fence, self._span, self._opened_here = marks, 0, True
            elif marks.startswith(self._fence):
                self._fence, self._closed_here = "", self._fence
        elif marks[0] == "`" and not self._fence:
            if not self._span:
                self._span = len(marks)
            elif self._span == len(marks):
                self._span = 0
        self._line_is_blank = self._may_fence = False

    def _word(self, word: str) -> None:
        self._line_is_blank = False
        if self._closed_here:  # ```python inside a fence does not close it
            self._fence, self._closed_here = self._closed_here, ""
        if self._may_fence and not _MARKER.fullmatch(word):
            self._may_fence = False
