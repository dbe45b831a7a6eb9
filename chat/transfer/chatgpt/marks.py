"""Marks that only ChatGPT's page understands, put into words and links. In linear time.

Newer ones are `U+E200 kind U+E202 argument … U+E201`, older ones `【4†source】` and
`:contentReference[oaicite:0]{index=0}`. Words in them stay; what they refer to becomes a link. Code
is left as it is.
"""

from __future__ import annotations

import json
import re
from collections import ChainMap, deque
from collections.abc import Iterator
from typing import Any

from chat.transfer.chatgpt import code
from chat.transfer.chatgpt.markup import escaped, is_url, link, storable
from chat.transfer.chatgpt.references import MARKS, Link, References

_NEW = "\ue200[^\ue200\ue201]*+\ue201"
_OLD = (
    r"【\d{1,9}(?::\d{1,9})?†[^【】\n]{0,200}】|【oaicite:\d{1,9}】"
    r"|:contentReference\[oaicite:\d{1,9}\](?:\{index=\d{1,9}\})?"
)
_OLD_FIRST = "【:"
_UNCLOSED = "\ue200(?:[a-z_]{1,30}+\ue202)?(?:turn[a-z0-9]{1,40}+\ue202?)*+"
_MARK = re.compile(f"{_NEW}|{_OLD}|{_UNCLOSED}|[\ue200-\ue204]")
_FIRST = (*MARKS, "\ue201", "\ue202", "\ue203", "\ue204")
_REFERENCE = re.compile(r"turn\d{1,9}[a-z_]{1,30}\d{1,9}|L?\d{1,9}(?:-L?\d{1,9})?")
_LABEL = re.compile(r"source|L?\d+(?:-L?\d+)?|")
_WORDS = ("title", "name", "content", "text", "label", "query", "queries")
"""Keys of a mark's JSON that hold words."""
_SPEAKING = {"cite": 0, "filecite": 0, "i": 0, "url": 1, "link_title": 1, "navlist": 1, "entity": 1}
"""How many arguments of a mark may be words; of others all."""
_MAX_DEPTH = 4
_ROOM = 20
"""Times their length texts may grow by what stands for their marks."""


def translated(text: str, found: References) -> str:
    """A text with words and links in place of its marks."""
    marks = list(_marks(text))
    if not marks:
        return storable(text)
    old = _Citations(found, marks)
    pieces, at = [], 0
    found.room += _ROOM * len(text)
    for mark in marks:
        pieces.append(storable(text[at : mark.start()]))
        at = mark.end()
        words = old.words(mark) if mark[0][0] in _OLD_FIRST else _words(mark[0], found)
        found.room -= len(words)
        if found.room < 0:
            continue  # a short mark may stand for a long text any number of times
        is_glued = words[:1] in ("(", "[") and not text[mark.start() - 1 : mark.start()].isspace()
        pieces.append(f" {words}" if is_glued and mark.start() else words)
    return "".join([*pieces, storable(text[at:])])


def plain(text: str) -> str:
    """A line with only the words of its marks."""
    return _MARK.sub(lambda mark: ", ".join(_texts(mark[0])), text)


def _marks(text: str) -> Iterator[re.Match[str]]:
    """Those outside code."""
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
    """Marks of 2023 and 2024. What they cite is known by their place; else by their order."""

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
            return "" if _LABEL.fullmatch(label) else f"({escaped(label)})"
        return known


def _words(mark: str, found: References) -> str:
    known = found.by_mark.get(mark)
    if known is not None or not mark.endswith("\ue201"):
        return known or ""
    kind, *arguments = mark[1:-1].split("\ue202")
    texts = _texts(mark)
    links = [found.links[name] for name in arguments if name in found.links]
    links += [("", text.strip()) for text in arguments if is_url(text)]
    words = ", ".join(escaped(text) for text in texts if not is_url(text))
    if kind in ("url", "link_title") and links:
        return link(texts[0] if words else "", links[0][1])
    if kind == "image_group":
        found.images += 1
        return f"*(images{': ' if words else ''}{words}: not brought in)*"
    return " ".join(filter(None, [words, _linked(links)]))


def _texts(mark: str) -> list[str]:
    """What a newer mark says, if it is whole."""
    if not (mark.startswith("\ue200") and mark.endswith("\ue201")):
        return []
    kind, *arguments = mark[1:-1].split("\ue202")
    return [text for text in map(_text, arguments[: _SPEAKING.get(kind)]) if text]


def _linked(links: list[Link]) -> str:
    return f"({', '.join(link(*one) for one in dict.fromkeys(links))})" if links else ""


def _text(argument: str) -> str:
    """The words of an argument: its own, or those in its JSON."""
    argument = argument.strip()
    if _REFERENCE.fullmatch(argument):
        return ""
    if argument[:1] not in ("[", "{"):
        return argument
    try:
        found = json.loads(argument)
    except (ValueError, RecursionError):
        return argument
    if isinstance(found, list) and len(found) > 1 and isinstance(found[1], str):
        return found[1]  # of an entity: its kind, its name, what it is
    return ", ".join(_held(found, _MAX_DEPTH))


def _held(found: Any, depth: int) -> Iterator[str]:
    if isinstance(found, str):
        if found and not _REFERENCE.fullmatch(found):
            yield found
    elif depth and isinstance(found, list):
        for one in found:
            yield from _held(one, depth - 1)
    elif depth and isinstance(found, dict):
        for key, one in found.items():
            if key in _WORDS or isinstance(one, dict | list):
                yield from _held(one, depth - 1)
