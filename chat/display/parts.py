"""The parts of an answer on the page: its texts, rendered, and its tool calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from chat.display.cards import Card
from chat.display.limits import Limits
from chat.markdown.jobs import MAX_MARKDOWN, Block
from chat.markdown.pages import Page
from chat.models import Turn
from chat.protocol import MessageView

AT_FIRST = Limits(
    texts=80 * 1024, live=1024 * 1024, results=48 * 1024, calls=40, cuts_open=True, is_each=True
)
"""How much of one message is shown at first."""


@dataclass(frozen=True)
class Part:
    """A stretch of an answer: text, or a tool call."""

    html: SafeString | None = None
    text: str = ""
    """Text that is still being written, and in no finished block yet."""
    begin: int = 0
    """In an unfinished answer, where this begins in its text, in code points."""
    ends: tuple[int, ...] = ()
    """In an unfinished answer, where each of its blocks ends."""
    card: Card | None = None
    more_calls: int = 0
    """Number of calls left out here, after the first `more_from` calls."""
    more_from: int = 0


def parts_of(view: MessageView, page: Page) -> Iterable[Callable[[], Part]]:
    """Yield makers of an answer's parts, so that all texts are requested before one is waited for."""
    stretch = _unfinished_parts if view.status in Turn.UNFINISHED else _finished_parts
    begin = 0
    first = AT_FIRST.calls // 2 if view.calls else None
    for number, call in enumerate(view.tool_calls):
        if number == first and view.calls:
            left_out = view.calls - len(view.tool_calls)
            yield partial(Part, more_calls=left_out, more_from=number)
        yield from stretch(view, page, begin, call.offset)
        yield partial(Part, card=Card(call))
        begin = max(begin, call.offset)
    yield from stretch(view, page, begin, None)


def _finished_parts(
    view: MessageView, page: Page, begin: int, end: int | None
) -> Iterable[Callable[[], Part]]:
    if text := view.content[begin:end].strip():
        html = page.text(UUID(view.id), begin, text)
        yield lambda: Part(html=html())


def _unfinished_parts(
    view: MessageView, page: Page, begin: int, end: int | None
) -> Iterable[Callable[[], Part]]:
    """Yield a stretch of an unfinished answer, as deltas and `block`s would have shown it."""
    text = view.content[begin:end]
    if not text:
        return
    is_short = begin + len(text) <= MAX_MARKDOWN
    blocks = page.blocks(text, is_whole=end is not None) if is_short else tuple
    yield lambda: _so_far(text, begin, blocks())


def _so_far(text: str, begin: int, found: Sequence[Block]) -> Part:
    html = mark_safe("".join(block.html for block in found))  # noqa: S308  # cleaned
    rest = text[found[-1].end :] if found else text
    ends = tuple(begin + block.end for block in found)
    return Part(html=html, text=rest, begin=begin, ends=ends)
