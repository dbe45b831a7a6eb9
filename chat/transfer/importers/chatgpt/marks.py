"""Translating marks that only ChatGPT's page understands to text and links, in linear time.

Newer ones are `U+E200 kind U+E202 argument … U+E201`, older ones `【4†source】` and
`:contentReference[oaicite:0]{index=0}`. Their words are kept, their references become links. Code
is not changed.
"""

from __future__ import annotations

import re
from collections import ChainMap, deque
from collections.abc import Iterator

from chat.transfer.importers.chatgpt import code
from chat.transfer.importers.chatgpt.markup import (
    escape,
    is_url,
    link,
    not_brought_in,
    replace_unstorable,
)
from chat.transfer.importers.chatgpt.references import MARKS, Link, References, format_links
from chat.transfer.importers.chatgpt.spoken import own_words

_NEW = "\ue200[^\ue200\ue201]*+\ue201"
_OLD = (
    r"【\d{1,9}(?::\d{1,9})?†[^【】\n]{0,200}】|【oaicite:\d{1,9}】"
    r"|:contentReference\[oaicite:\d{1,9}\](?:\{index=\d{1,9}\})?"
)
_OLD_FIRST = "【:"
_UNCLOSED = "\ue200(?:[a-z_]{1,30}+\ue202)?(?:turn[a-z0-9]{1,40}+\ue202?)*+"
_MARK = re.compile(f"{_NEW}|{_OLD}|{_UNCLOSED}|[\ue200-\ue204]")
_FIRST = (*MARKS, "\ue201", "\ue202", "\ue203", "\ue204")
_LABEL = re.compile(r"source|L?\d+(?:-L?\d+)?|")
_ROOM = 20
"""How many times its length a text may grow by replacing its marks."""


def translate(text: str, found: References) -> str:
    """Replace the marks in a text with words and links."""
    marks = list(_marks(text))
    if not marks:
        return replace_unstorable(text)
    old = _Citations(found, marks)
    pieces, at = [], 0
    found.room += _ROOM * len(text)
    for mark in marks:
        pieces.append(replace_unstorable(text[at : mark.start()]))
        at = mark.end()
        if found.room < 0:
            continue  # a short mark may expand to a long text, many times over
        words = old.words(mark) if mark[0][0] in _OLD_FIRST else _words(mark[0], found)
        found.room -= len(words)
        is_glued = words[:1] in ("(", "[") and not text[mark.start() - 1 : mark.start()].isspace()
        pieces.append(f" {words}" if is_glued and mark.start() else words)
    return "".join([*pieces, replace_unstorable(text[at:])])


def plain(text: str) -> str:
    """Replace the marks in a line with their words alone."""
    return _MARK.sub(lambda mark: ", ".join(own_words(mark[0])), text)


def _marks(text: str) -> Iterator[re.Match[str]]:
    """Yield the marks outside code."""
    if not any(first in text for first in _FIRST):
        return
    spans = deque(code.spans(text))
    at = 0
    while mark := _MARK.search(text, at):
        while spans and spans[0][1] <= mark.start():
            spans.popleft()
        if spans and spans[0][0] <= mark.start():
            at = spans[0][1]
        else:
            at = mark.end()
            yield mark


class _Citations:
    """Marks of 2023 and 2024, matched with citations by their place, or else by their order."""

    def __init__(self, found: References, marks: list[re.Match[str]]) -> None:
        old = {mark.start(): mark[0] for mark in marks if mark[0][0] in _OLD_FIRST}
        self._by_number = found.by_number
        self._by_place = found.by_place
        # lazily: a message may have thousands of both texts and citations
        self._next = (words for at, words in found.citations if at not in old)
        self._by_mark = ChainMap({}, found.by_mark)
        open_ = sum(
            at not in self._by_place and mark not in self._by_mark for at, mark in old.items()
        )
        placed = sum(found.times[at] for at in old)
        self._is_for_each = len(found.citations) - placed == open_

    def words(self, mark: re.Match[str]) -> str:
        number, _, label = mark[0][1:-1].partition("†")
        known = (
            self._by_mark.get(mark[0])
            or self._by_place.get(mark.start())
            or self._by_number.get(number)
        )
        if known is None:
            known = next(self._next, None)
            if known and not self._is_for_each:
                self._by_mark[mark[0]] = known
        if known is None:
            return "" if _LABEL.fullmatch(label) else f"({escape(label)})"
        return known


def _words(mark: str, found: References) -> str:
    known, links = found.by_mark.get(mark, ""), found.by_speaking_mark.get(mark)
    if (known and links is None) or not mark.endswith("\ue201"):
        return known
    kind, *arguments = mark[1:-1].split("\ue202")
    own = own_words(mark)
    words = ", ".join(escape(text) for text in own if not is_url(text))
    if kind == "image_group":
        found.images += 1
        return not_brought_in("images", words)
    is_broken = kind == "entity" and words.startswith("\\[")
    if known and (is_broken or not words):
        return known
    links = links or _links(arguments, found)
    if kind in ("url", "link_title") and links:
        return link(own[0] if words else "", links[0][1])
    return " ".join(filter(None, [words, format_links(links)]))


def _links(arguments: list[str], found: References) -> list[Link]:
    names = (name.strip() for argument in arguments for name in argument.split(","))
    links = [found.links[name] for name in names if name in found.links]
    return links + [("", text.strip()) for text in arguments if is_url(text)]
