"""Found words in their context."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from chat.search.words import WORD_BEGINS, fold, folded_lengths, is_unspaced

LENGTH = 200
"""Code points of an excerpt."""
BEFORE = 50
"""Code points of an excerpt before the first match."""
_MANY = 500
"""Most matches that are considered: if a word is that frequent, an early one will do."""
_MARKUP = re.compile(r"[*`|~]+|_{2,}|^[ \t]*(?:#{1,6}|>|[-+])(?=\s)|-{3,}", re.MULTILINE)


@dataclass(frozen=True)
class Marked:
    """A text with its matches marked."""

    pieces: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)


Span = tuple[int, int]


def mark(text: str, sought: Sequence[str]) -> Marked:
    """Mark the matches in a whole text."""
    return _cut(text, _places(text, sought), 0, len(text))


def excerpt(text: str, sought: Sequence[str]) -> Marked:
    """Return the stretch of a Markdown text with the most matches, on one line."""
    text = " ".join(_MARKUP.sub(" ", text).split())
    places = _places(text, sought)
    start = max(_best(text, places) - BEFORE, 0)
    if start > 0:  # do not begin inside a word
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
    """Find the matches, in code points of the original text."""
    if not sought:
        return []
    folded = fold(text)
    found = sorted(_find(folded, sought), key=lambda span: (span[0], -span[1]))[:_MANY]
    if text.isascii():
        return found  # folding kept the length
    ends = list(accumulate(folded_lengths(text)))
    return [(bisect_right(ends, start), bisect_left(ends, end) + 1) for start, end in found]


def _find(folded: str, sought: Sequence[str]) -> Iterator[Span]:
    """Yield the first matches of each word. They may overlap: the longer of two comes first."""
    begin_words = [run for run in sought if not is_unspaced(run)]
    if begin_words:
        either = "|".join(map(re.escape, sorted(begin_words, key=len, reverse=True)))
        matches = re.finditer(f"{WORD_BEGINS}(?:{either})", folded)
        yield from (match.span() for match in islice(matches, _MANY))
    for run in sought:
        if is_unspaced(run):
            yield from islice(_anywhere(folded, run), _MANY)


def _anywhere(folded: str, run: str) -> Iterator[Span]:
    # no pattern: one that almost matches everywhere would be tried again and again
    at = folded.find(run)
    while at >= 0:
        yield at, at + len(run)
        at = folded.find(run, at + len(run))


def _best(text: str, places: Sequence[Span]) -> int:
    """Return where the first stretch with the most different words begins."""
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
