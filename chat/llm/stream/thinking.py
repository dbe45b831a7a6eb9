"""Separates reasoning that a model writes into its text between `<think>` and `</think>` tags.

Opening tags count only at the beginning of an answer. If the chat template wrote the opening tag,
only the closing one arrives: the text before it was reasoning (`Thought`), unless the tag is part
of code. The result does not depend on how the text is cut into pieces.
"""

from __future__ import annotations

import re

from chat.llm.base import Reasoning, Text, Thought
from chat.llm.stream.blanks import end_of_blanks
from chat.llm.stream.code_marks import CodeMarks

_OPENING = (
    "<think>", "<thinking>", "<reasoning>", "<thought>", "<seed:think>", "[think]", "◁think▷",
)  # fmt: skip
_CLOSING = {tag: f"{tag[0]}/{tag[1:]}" for tag in _OPENING}
_TAGS = (*_OPENING, *_CLOSING.values())
_LONGEST = max(map(len, _TAGS))
_BEGINNINGS = frozenset(tag[:end] for tag in _TAGS for end in range(1, len(tag)))
_TAG = re.compile("|".join(map(re.escape, _TAGS)), re.IGNORECASE | re.ASCII)
_CLOSING_TAG = re.compile("|".join(map(re.escape, _CLOSING.values())), re.IGNORECASE | re.ASCII)
_SIGNS = "<[◁"  # the first characters of tags
_QUOTES = frozenset("\"'“”‘’«»„*(")  # noqa: RUF001  # these are meant
"""A closing tag after one of these is only mentioned."""

Part = Text | Reasoning | Thought


class ThinkTags:
    """Separates the reasoning in the text of one answer."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._step = self._at_start
        self._is_first = True  # neither a tag nor text so far
        self._is_plain = False  # no more tags to look for
        self._is_watched = False  # a closing tag may come
        self._held = ""  # a possible beginning of a tag
        self._blanks: list[str] = []  # whitespace, emitted only if something follows it
        self._thinks = self._has_thought = False
        self._unread: list[str] = []  # text not yet searched for code
        self._code = CodeMarks()
        self._last = ""  # the character before a closing tag

    def passes(self, piece: str) -> bool:
        """Whether a piece is only text: the fast path for nearly all pieces."""
        if self._is_plain:
            return True
        if self._held or not self._is_watched or "<" in piece or "[" in piece or "◁" in piece:
            return False
        self._unread.append(piece)
        return True

    def feed(self, piece: str) -> list[Part]:
        text, self._held, self._parts = self._held + piece, "", []
        at = 0
        while at < len(text):
            at = self._step(text, at)
        return self._parts

    def end(self) -> list[Part]:
        """Return what was held back."""
        held, self._held, self._parts = self._held, "", []
        if self._step == self._inside:
            self._think(held)
        elif held or self._is_first:
            self._tell(held)
        return self._parts

    # Steps: each reads the text from a position and returns the position it reached.

    def _at_start(self, text: str, at: int) -> int:
        """Read the beginning of the answer, or of the text after a thought."""
        start = end_of_blanks(text, at)
        self._blanks.append(text[at:start])
        if start == len(text):
            return start
        tag = _TAG.match(text, start)
        if tag and "/" not in tag[0]:
            self._begin_thought()
            return tag.end()
        if tag and self._is_first:  # a thought without a word
            self._begin_answer()
            return tag.end()
        if len(text) - start < _LONGEST and text[start:].lower() in _BEGINNINGS:
            self._held = text[start:]
            return len(text)
        if self._is_first:
            self._step, self._is_watched, self._is_first = self._watched, True, False
        else:  # drop blank lines before the answer, but keep its first line's indentation
            _, newline, indent = "".join(self._blanks).rpartition("\n")
            self._blanks = [indent] if newline else []
            self._step, self._is_plain = self._plain, True
        return start

    def _inside(self, text: str, at: int) -> int:
        tag = _CLOSING_TAG.search(text, at)
        self._think(text[at : tag.start()] if tag else self._without_beginning(text, at))
        if tag:
            self._begin_answer()
            return tag.end()
        return len(text)

    def _watched(self, text: str, at: int) -> int:
        told = at
        for tag in _TAG.finditer(text, at):
            if "/" not in tag[0]:  # an opening tag: its closing tag will be text, too
                self._tell(text[told:])
                self._step, self._is_watched, self._is_plain = self._plain, False, True
                return len(text)
            self._unread.append(text[at : tag.start()])
            unread = "".join(self._unread)
            self._code.read(unread)
            self._last = unread[-1:] or self._last
            self._unread, at = [], tag.start()
            if not self._code.is_code and self._last not in _QUOTES:
                self._tell(text[told:at])
                self._parts.append(Thought())
                self._step, self._is_watched, self._is_plain = self._plain, False, True
                return tag.end()
        piece = self._without_beginning(text, told)
        self._unread.append(piece[at - told :])
        self._tell(piece)
        return len(text)

    def _plain(self, text: str, at: int) -> int:
        self._tell(text[at:])
        return len(text)

    def _begin_thought(self) -> None:
        self._step, self._is_first, self._thinks = self._inside, False, False
        self._blanks = ["\n\n"] if self._has_thought else []

    def _begin_answer(self) -> None:
        self._step, self._is_first, self._is_watched = self._at_start, False, False
        self._blanks, self._unread = [], []

    def _without_beginning(self, text: str, at: int) -> str:
        """Return the text up to a possible beginning of a tag, which is held back."""
        last = max(text.rfind(sign, max(at, len(text) - _LONGEST + 1)) for sign in _SIGNS)
        if last >= 0 and text[last:].lower() in _BEGINNINGS:
            self._held = text[last:]
            return text[at:last]
        return text[at:]

    def _tell(self, text: str) -> None:
        if self._blanks:
            text = "".join((*self._blanks, text))
            self._blanks = []
        if text:
            self._parts.append(Text(text))

    def _think(self, text: str) -> None:
        """Emit reasoning without the whitespace around it."""
        start = 0 if self._thinks else end_of_blanks(text, 0)
        words = text.rstrip()
        if len(words) > start:
            self._parts.append(Reasoning("".join((*self._blanks, words[start:]))))
            self._thinks = self._has_thought = True
            self._blanks = [text[len(words) :]]
        elif self._thinks:
            self._blanks.append(text)
