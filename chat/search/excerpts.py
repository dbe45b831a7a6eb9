"""The words that were found, in their context."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from chat.search.words import WORD_BEGINS, fold, folded_lengths, is_unspaced

LENGTH = 200
"""Code points of an excerpt."""
BEFORE = 50
"""Of these before the first word found."""
_MANY = 500
"""Places that are looked at: where a word stands so often, an early one will do."""
_MARKUP = re.compile(r"[*`|~]+|_{2,}|^[ \t]*(?:#{1,6}|>|[-+])(?=\s)|-{3,}", re.MULTILINE)


@dataclass(frozen=True)
class Marked:
    """A text of which some stretches are what was looked for."""

    pieces: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)


Span = tuple[int, int]


def marked(text: str, sought: Sequence[str]) -> Marked:
    """The whole text."""
    return _cut(text, _places(text, sought), 0, len(text))


def excerpt(text: str, sought: Sequence[str]) -> Marked:
    """The stretch of a Markdown text in which most of what is sought stands, on one line."""
    text = " ".join(_MARKUP.sub(" ", text).split())
    places = _places(text, sought)
    start = max(_best(text, places) - BEFORE, 0)
    if start > 0:  # not in the middle of a word
        space = text.find(" ", start, start + BEFORE)
        start = space + 1 if space >= 0 else start
    end = start + LENGTH
    if end < len(text):
        space = text.rfind(" ", end - BEFORE, end)
        end = space if space >= 0 else end
    cut = _cut(text, places, start, end)
    before, after = "…" if start else "", "…" if end < len(text) else ""
    ends = ((before, False), *cut.pieces, (after, False))
    return Marked(tuple(piece for piece in ends if piece[0]))


def _places(text: str, sought: Sequence[str]) -> list[Span]:
    """Where what is sought stands, in the text's own code points."""
    if not sought:
        return []
    folded = fold(text)
    either = "|".join(_pattern(run) for run in sorted(sought, key=len, reverse=True))
    found = [match.span() for match, _ in zip(re.finditer(either, folded), range(_MANY))]  # noqa: B905  # as far as there are
    if text.isascii():
        return found  # each code point became one
    ends = list(accumulate(folded_lengths(text)))
    return [(bisect_right(ends, start), bisect_left(ends, end) + 1) for start, end in found]


def _pattern(run: str) -> str:
    return re.escape(run) if is_unspaced(run) else WORD_BEGINS + re.escape(run)


def _best(text: str, places: Sequence[Span]) -> int:
    """Where the stretch begins that holds the most different words; the first of its kind."""
    found = [(start, fold(text[start:end])) for start, end in places]
    best, most = 0, 0
    for number, (start, _) in enumerate(found):
        within = {word for at, word in found[number : number + 50] if at < start + LENGTH - BEFORE}
        if len(within) > most:
            best, most = start, len(within)
    return best


def _cut(text: str, places: Iterable[Span], start: int, end: int) -> Marked:
    pieces: list[tuple[str, bool]] = []
    at = start
    for first, last in places:
        if at <= first and last <= end:
            pieces += [(text[at:first], False), (text[first:last], True)]
            at = last
    pieces.append((text[at:end], False))
    return Marked(tuple(piece for piece in pieces if piece[0]))
