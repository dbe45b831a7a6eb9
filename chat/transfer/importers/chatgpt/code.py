"""Finding the code in a Markdown text, where marks have no meaning, in linear time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from chat.transfer.importers.chatgpt.containers import Containers

_FENCE = re.compile(
    r"[ \t]*+(?:(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])[ \t]*+)*+(`{3,}+(?=[^`]*+$)|~{3,}+)"
)
_END = re.compile(r"[ \t>]*+(`{3,}+|~{3,}+)[ \t\r]*+$")
_TICKS = re.compile("`++")
_OPENING = re.compile("\ue200[^\ue200\ue201]*+\ue201|\\\\`|(?P<ticks>`++)")
"""A run of backticks that is neither inside a mark nor escaped."""


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each piece of code, in order."""
    fence, fence_begin, paragraph, at = "", 0, 0, 0
    containers = Containers()
    for line in text.split("\n"):
        end = at + len(line)
        is_within = containers.read(line)
        if fence and not is_within:  # its quote or list item has ended
            yield fence_begin, at
            fence, paragraph = "", at
        if fence:
            closing = _END.match(line)
            if closing and closing[1].startswith(fence):
                yield fence_begin, end
                fence, paragraph = "", end + 1
        else:
            opening = _FENCE.match(line)
            is_lazy = paragraph < at and not opening and bool(line.strip())
            begins = containers.enter(is_lazy=is_lazy)
            if opening or begins or not line.strip():
                yield from _inline(text, paragraph, at)
                paragraph = at if line.strip() else end + 1
            if opening:
                fence, fence_begin = opening[1], at
        at = end + 1
    if fence:
        yield fence_begin, len(text)
    else:
        yield from _inline(text, paragraph, len(text))


def _inline(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield inline code: from a run of backticks to the next one of the same length."""
    runs: defaultdict[int, list[int]] = defaultdict(list)
    for run in _TICKS.finditer(text, begin, end):
        runs[len(run[0])].append(run.start())
    at = begin
    while runs and (opening := _OPENING.search(text, at, end)):
        at = opening.end()
        if ticks := opening["ticks"]:
            same = runs[len(ticks)]
            closing = bisect_left(same, at)
            if closing < len(same):
                at = same[closing] + len(ticks)
                yield opening.start(), at
