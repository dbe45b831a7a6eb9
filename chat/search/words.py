"""Splits texts and queries into words, the same way for both databases.

A text is folded code point by code point (compatibility forms, case and the accents of Latin, Greek
and Cyrillic are removed), so a place in the folded text leads back to one in the original.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from operator import add

MAX_WORD = 64
"""Code points of a word that count; a longer one is a key or an image in Base64."""
MAX_BYTES = 800_000
"""Bytes of one text's words: PostgreSQL's tsvector holds 1 MiB."""

# Thai to Myanmar, Khmer, kana, Han: the end of a word is not visible.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_UNSPACED}]+|[^\\s{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
WORD_BEGINS = f"(?<![^\\s{_UNSPACED}])"
"""A regular expression for folded texts."""


_MOST_FOLDED = 100_000
"""Code points that are remembered. People use fewer; a file of noise may not."""


class _Folding(dict[int, str]):
    """The folded form of each code point, computed on first use."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) >= _MOST_FOLDED:
            self.clear()  # full of noise, it would not help other texts
        self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""  # a soft hyphen, a joiner: invisible
    if category in ("So", "Sc", "Sm") and character > "\x7f":
        return f" {character} "  # 🎉 and € are words, + is not
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(map(_kept, unicodedata.normalize("NFKD", plain)))


def _kept(character: str) -> str:
    if "\u0300" <= character <= "\u036f" or "\ufe00" <= character <= "\ufe0f":
        return ""  # an accent; an emoji variation selector
    return character if unicodedata.category(character)[0] in "LMN" else " "


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Fold a text for comparison. Anything but letters, numbers and symbols becomes a space."""
    return text.translate(_FOLDING)


def folded_lengths(text: str) -> Iterator[int]:
    """Yield the length of each of a text's code points in the folded text."""
    return (len(_FOLDING[ord(character)]) for character in text)


def words(text: str) -> list[str]:
    """Return the words of a text, each once. In an unspaced script: each pair, and the last character."""
    found: dict[str, None] = {}
    for run in runs(text):
        if is_unspaced(run):
            found |= dict.fromkeys(map(add, run, run[1:]))
            found[run[-1]] = None
        else:
            found[run[:MAX_WORD]] = None
    joined = " ".join(found).encode()
    if len(joined) > MAX_BYTES:
        return joined[:MAX_BYTES].decode(errors="ignore").split()
    return list(found)


def runs(text: str) -> Iterable[str]:
    """Return the folded text's stretches without a space, each in one kind of script, each once."""
    found = dict.fromkeys(fold(text).split())
    if text.isascii():
        return found
    return dict.fromkeys(_RUN.findall(" ".join(found)))


def is_unspaced(run: str) -> bool:
    return not run.isascii() and _IS_UNSPACED.match(run) is not None
