"""Finds the finished blocks of a text that may still grow."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from chat.markdown.code import Highlight
from chat.markdown.jobs import Block
from chat.markdown.renderer import CODE, cleaner, parser


def blocks(text: str, *, is_whole: bool, code: Highlight) -> list[Block]:
    """Return the finished top-level blocks of a text that may still grow.

    A line that has not ended finishes none, as it may still become part of the block before it.
    The text after the last finished block may be parsed by itself later.
    """
    ended = text if is_whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    tokens = parser().parse(ended)
    starts = [0, *(line.end() for line in re.finditer(r"\r\n?|\n", ended)), len(ended)]
    spans = _top_level(tokens)
    found = []
    for number, (first, last) in enumerate(spans):
        if number + 1 < len(spans):
            following = tokens[spans[number + 1][0]].map
            end = starts[following[0]] if following else len(ended)
        elif is_whole or _is_finished(tokens[first], ended, starts, text[len(ended) :]):
            end = len(ended)
        else:
            break
        html = parser().renderer.render(tokens[first : last + 1], parser().options, {CODE: code})
        found.append(Block(cleaner().clean(html), end))
    return found


def _top_level(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Return the first and last token of each block that is not inside another."""
    spans = []
    first = 0
    for number, token in enumerate(tokens):
        if token.level == 0 and token.nesting >= 0:
            first = number
        if token.level == 0 and token.nesting <= 0:
            spans.append((first, number))
    return spans


_MAY_GO_ON = {"bullet_list_open", "ordered_list_open", "code_block"}
"""Blocks that an empty line does not finish."""
_GOES_ON = re.compile(r"$|[ \t]|[-+*](?:[ \t]|$)|\d+(?:$|[.)](?:[ \t]|$))")
"""The beginning of a line that may continue one of them."""


def _is_finished(token: Token, ended: str, starts: Sequence[int], rest: str) -> bool:
    """Whether the last block of the complete lines is finished, whatever follows `rest`."""
    if token.type == "fence":
        return _is_closed(token, ended, starts)
    if token.type in ("heading_open", "hr"):
        return True
    if ended[starts[-3] :].strip(" \t\r\n"):
        return False  # without an empty line between, the next one may continue it
    return token.type not in _MAY_GO_ON or not _GOES_ON.match(rest)


def _is_closed(token: Token, ended: str, starts: Sequence[int]) -> bool:
    """Whether a fenced code block has its closing fence."""
    begin, end = token.map or (0, 0)
    if end - begin < 2:
        return False
    line = ended[starts[end - 1] : starts[end]]
    closing = re.compile(rf" {{0,3}}{re.escape(token.markup)}{token.markup[0]}*[ \t]*[\r\n]")
    return closing.match(line) is not None
