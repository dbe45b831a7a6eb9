"""A conversation as the page shows it: the wire's `MessageView`s, made ready for a template.

Nothing is decided here; `snapshots.py` says what a message is, `markdown/` how text looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from chat.branches import branch, latest_leaf
from chat.cards import Card, asked_each_time, plainly
from chat.markdown.jobs import MAX_MARKDOWN, Block
from chat.markdown.pages import Page
from chat.models import Conversation, Message, Turn
from chat.protocol import MessageView, ToolCallView
from chat.snapshots import so_far, views
from chat.turns.history import LEFT_OUT
from chat.usage import Context, Row, context_of, of_answer

PAGE = 50
"""Messages that a page shows before it offers earlier ones."""
LONG, LONG_LINES = 2000, 24
"""Code points and lines: a question beyond either is folded. `questions.js` has the same."""
AFTER = 20
"""Of them after one that was looked for."""
_MARKS = {
    "cancelled": "Stopped",
    "failed": "This answer failed.",
    "interrupted": "Interrupted: the server stopped while it was writing.",
}
_NEARLY_FULL = (
    "This chat fills {percent}% of the model's context. Its oldest messages will soon be left out."
)


@dataclass(frozen=True)
class Part:
    """A stretch of an answer: text, or a tool call."""

    html: SafeString | None = None
    text: str = ""
    """What is still being written, and in no finished block yet."""
    begin: int = 0
    """Of an unfinished answer: where this begins in its text, in code points."""
    ends: tuple[int, ...] = ()
    """Likewise: where each of its blocks ends."""
    card: Card | None = None


@dataclass(frozen=True)
class Versions:
    """A message's place among its siblings."""

    number: int
    count: int
    previous: str | None
    next: str | None


@dataclass(frozen=True)
class Shown:
    """A message on the page."""

    view: MessageView
    parts: tuple[Part, ...]
    """Of an answer; a question is plain text."""
    client_id: str | None
    """Of a question that waits: what takes it back."""
    is_queued: bool
    """A question that nobody answers yet, because an earlier one is being answered."""
    about: tuple[Row, ...] = ()
    """What an answer that is over took."""
    gauge: Context | None = None
    """How full its model's context was then."""

    @property
    def is_unfinished(self) -> bool:
        return self.view.status in Turn.UNFINISHED

    @property
    def is_long(self) -> bool:
        """It would fill the screen."""
        text = self.view.content
        return len(text) > LONG or text.count("\n") >= LONG_LINES

    @property
    def versions(self) -> Versions | None:
        """None: there is one only."""
        ids = self.view.siblings
        if len(ids) < 2:
            return None
        at = ids.index(self.view.id)
        following = ids[at + 1] if at + 1 < len(ids) else None
        return Versions(at + 1, len(ids), ids[at - 1] if at else None, following)

    @property
    def may_continue(self) -> bool:
        """There is something to go on with."""
        is_cut = self.view.status in Turn.UNSUCCESSFUL or bool(self.view.error)
        return is_cut and bool(self.parts)

    @property
    def mark(self) -> str:
        """How an answer ended, where it did not simply end."""
        return self.view.error or _MARKS.get(self.view.status, "")

    @property
    def details(self) -> str:
        """What the model's server said of it."""
        return plainly(self.view.error_details or "")

    @property
    def warning(self) -> str:
        """That the model's context is nearly full, while nothing is left out yet."""
        if not (self.gauge and self.gauge.is_nearly_full) or LEFT_OUT in (self.view.note or ""):
            return ""
        return _NEARLY_FULL.format(percent=self.gauge.percent)


@dataclass(frozen=True)
class Stretch:
    """Some messages of a branch, oldest first."""

    messages: tuple[Shown, ...]
    has_earlier: bool

    @property
    def first_id(self) -> str:
        return self.messages[0].view.id

    @property
    def last_id(self) -> str:
        return self.messages[-1].view.id


def _blank(role: Literal["user", "assistant"]) -> Shown:
    view = MessageView(
        id="", parent_id=None, siblings=(), role=role, content="", status="running", created_at=""
    )
    return Shown(view, (), client_id=None, is_queued=False)


BLANK = {
    "question": _blank("user"),
    "answer": _blank("assistant"),
    "card": Card(ToolCallView(call_id="", name="", arguments={}, status="running")),
    "asked_each_time": asked_each_time,
}
"""What the page's script copies to draw a message that has no row yet."""


def latest(conversation: Conversation) -> Stretch:
    """The end of the current branch."""
    return _stretch(conversation, conversation.leaf_id)


def before(conversation: Conversation, message_id: UUID) -> Stretch:
    """What stands before a message of this conversation. Raises `Message.DoesNotExist`."""
    message = Message.objects.get(conversation=conversation, pk=message_id)
    return _stretch(conversation, message.parent_id)


def around(conversation: Conversation, message_id: UUID) -> Stretch | None:
    """What stands around a message, on whichever branch; None: it is among the latest.

    Raises `Message.DoesNotExist`.
    """
    message = Message.objects.get(conversation=conversation, pk=message_id, withdrawn=False)
    said = branch(conversation.leaf_id)
    if message in said[-PAGE:]:
        return None
    if message in said:
        message = said[said.index(message) + AFTER]
    return _stretch(conversation, message.pk)


def through(conversation: Conversation, message_id: UUID) -> Stretch:
    """The end of the latest branch that holds a message. Raises `Message.DoesNotExist`."""
    message = Message.objects.get(conversation=conversation, pk=message_id, withdrawn=False)
    return _stretch(conversation, latest_leaf(message))


def one(conversation: Conversation, message_id: UUID) -> Shown | None:
    """A message of this conversation; None: there is no such message."""
    found = Message.objects.filter(conversation=conversation, pk=message_id, withdrawn=False)
    return next(iter(_shown(conversation, found)), None)


def source(conversation: Conversation, message_id: UUID) -> str | None:
    """What a message of this conversation says, unrendered; None: there is no such message."""
    said = Message.objects.filter(conversation=conversation, pk=message_id, withdrawn=False)
    return said.values_list("content", flat=True).first()


def _stretch(conversation: Conversation, leaf_id: UUID | None) -> Stretch:
    found = branch(leaf_id, last=PAGE + 1)
    return Stretch(tuple(_shown(conversation, found[-PAGE:])), has_earlier=len(found) > PAGE)


def _shown(conversation: Conversation, messages: Iterable[Message]) -> Iterable[Shown]:
    messages = list(messages)
    waiting = _waiting(conversation)
    behind = set(waiting[1:] if _is_idle(conversation) else waiting)
    took = {pk: (of_answer(turn), context_of(turn)) for pk, turn in _over(messages).items()}
    page = Page(conversation.pk, [message.pk for message in messages])
    shown = [
        (message, view, tuple(_parts(view, page)) if view.role == "assistant" else ())
        for message, view in zip(
            messages, views(messages, live=so_far(conversation), whole=True), strict=True
        )
    ]
    for message, view, parts in shown:
        about, gauge = took.get(message.pk, ((), None))
        yield Shown(
            view=view,
            parts=tuple(part() for part in parts),
            client_id=message.client_id if message.pk in behind else None,
            is_queued=message.pk in behind,
            about=about,
            gauge=gauge,
        )


def _over(messages: Iterable[Message]) -> dict[UUID, Turn]:
    """The turns of answers that nothing is added to any more."""
    turns = Turn.objects.filter(message__in=[message.pk for message in messages])
    return {turn.message_id: turn for turn in turns if turn.is_over}


def _waiting(conversation: Conversation) -> list[UUID | None]:
    """Questions whose answer has not begun, in order."""
    queued = Turn.objects.queued().filter(conversation=conversation)
    return list(queued.values_list("message__parent", flat=True))


def _is_idle(conversation: Conversation) -> bool:
    """No turn is live: the first that waits is about to be."""
    return not Turn.objects.filter(conversation=conversation).live().exists()


def _parts(view: MessageView, page: Page) -> Iterable[Callable[[], Part]]:
    """Of an answer: all texts are asked for before the first of them is waited for."""
    stretch = _written if view.status in Turn.UNFINISHED else _rendered
    begin = 0
    for call in view.tool_calls:
        yield from stretch(view, page, begin, call.offset)
        yield partial(Part, card=Card(call))
        begin = call.offset
    yield from stretch(view, page, begin, None)


def _rendered(
    view: MessageView, page: Page, begin: int, end: int | None
) -> Iterable[Callable[[], Part]]:
    if text := view.content[begin:end].strip():
        html = page.text(UUID(view.id), begin, text)
        yield lambda: Part(html=html())


def _written(
    view: MessageView, page: Page, begin: int, end: int | None
) -> Iterable[Callable[[], Part]]:
    """Of an unfinished answer: as deltas and `block`s would have shown it."""
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
