"""A conversation as the page shows it: the wire's `MessageView`s, made ready for a template.

Nothing is decided here; `snapshots.py` says what a message is, `markdown/` how text looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from chat.db.functions import Bytes
from chat.display.cards import Card, as_json, asked_each_time, plainly
from chat.display.snapshots import Limits, call_views, so_far, views
from chat.display.usage import Context, Row, context_of, of_answer
from chat.markdown.jobs import MAX_MARKDOWN, Block
from chat.markdown.pages import Page
from chat.models import Conversation, Message, ToolCall, Turn
from chat.models.branches import beginnings, ids, latest_leaf
from chat.protocol import MessageView, ToolCallView, arguments_object
from chat.turns.context import LEFT_OUT

PAGE = 50
"""Messages that a page shows before it offers earlier ones; fewer where they are long."""
PAGE_BYTES = 1024 * 1024
"""Of their HTML: a page that would have more ends earlier, but has one message at least."""
AT_FIRST = Limits(
    texts=80 * 1024, live=1024 * 1024, results=48 * 1024, calls=40, cuts_open=True, is_each=True
)
"""What is shown of one message before more of it is asked for."""
PIECE = 250_000
"""Code points of a long text that are shown with each step."""
NEAR_LINES = 2000
"""A piece ends with a line, where one ends so near to it."""
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
    more_calls: int = 0
    """Calls that are left out here; `more_from` of its calls stand before them."""
    more_from: int = 0


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
    size: int = 0
    """Bytes of its text; what is shown of it may be less."""

    @property
    def html_size(self) -> int:
        """Bytes of its HTML, about."""
        view = self.view
        texts = [view.content, view.reasoning, view.error, view.error_details, view.note]
        html = sum(len((part.html or "").encode()) for part in self.parts)
        for part in self.parts:
            if part.card:
                html += 2000  # what is around the texts of a call
                texts += [part.card.call.content, *[part.card.asked_for] * 2]
        return html + sum(len(escape(text).encode()) for text in texts if text)

    @property
    def shown_length(self) -> int:
        """Code points of its text that are shown."""
        return len(self.view.content)

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
        view = self.view
        count = view.versions or len(view.siblings)
        if count < 2 or view.id not in view.siblings:
            return None
        at = view.siblings.index(view.id)
        following = view.siblings[at + 1] if at + 1 < len(view.siblings) else None
        return Versions(
            view.version or at + 1, count, view.siblings[at - 1] if at else None, following
        )

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

    def has(self, message_id: UUID) -> bool:
        return any(shown.view.id == str(message_id) for shown in self.messages)

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
    """What stands before a message of this conversation.

    Raises `Message.DoesNotExist`, also where nothing does.
    """
    message = Message.objects.get(conversation=conversation, pk=message_id)
    if message.parent_id is None:
        raise Message.DoesNotExist
    return _stretch(conversation, message.parent_id)


def around(conversation: Conversation, message_id: UUID) -> Stretch | None:
    """What stands around a message, on whichever branch; None: it is among the latest.

    Raises `Message.DoesNotExist`.
    """
    message = Message.objects.get(conversation=conversation, pk=message_id, withdrawn=False)
    said = ids(conversation.leaf_id)
    if message.pk not in said:
        return _stretch(conversation, message.pk)
    at = said.index(message.pk)
    if at >= len(said) - PAGE and latest(conversation).has(message_id):
        return None
    around = _stretch(conversation, said[min(at + AFTER, len(said) - 1)])
    return around if around.has(message_id) else _stretch(conversation, message.pk)


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
    if live := so_far(conversation).get(message_id):
        return live.text
    said = Message.objects.filter(conversation=conversation, pk=message_id, withdrawn=False)
    return said.values_list("content", flat=True).first()


def source_of_call(
    conversation: Conversation, message_id: UUID, call_id: str, part: str = ""
) -> str | None:
    """A call with its arguments and its result, whole; None: there is no such call.

    Of the `arguments` alone, those that the model asked for, to be edited.
    """
    calls = ToolCall.objects.filter(message__conversation=conversation, message=message_id)
    call = calls.filter(call_id=call_id).first()
    if call is not None and part == "arguments":
        return as_json(arguments_object(call.arguments))
    return None if call is None else f"{call.name}\n\n{call.used_arguments}\n\n{call.result}"


@dataclass(frozen=True)
class More:
    """A further piece of a long message: of its text, or some of its calls."""

    text: str = ""
    cards: tuple[Card, ...] = ()
    begin: int = 0
    """Where the next piece begins: a code point, or the number of a call."""
    left: int = 0
    """What is left then: bytes, or calls."""


def more_text(conversation: Conversation, message_id: UUID, begin: int) -> More | None:
    """The text of a message from a code point on; None: there is no such message."""
    text = source(conversation, message_id)
    if text is None:
        return None
    end = begin + PIECE
    if len(text) > end:
        end = text.rfind("\n", end - NEAR_LINES, end) + 1 or end
    return More(text=text[begin:end], begin=end, left=len(text[end:].encode()))


def more_calls(conversation: Conversation, message_id: UUID, begin: int) -> More | None:
    """The calls of a message from a number on, up to those that were shown at once."""
    calls = ToolCall.objects.filter(message__conversation=conversation, message=message_id)
    last = calls.count() - AT_FIRST.calls // 2
    end = min(begin + AT_FIRST.calls, last)
    if not 0 <= begin < end:
        return None
    some = [call for call in calls.order_by("pk")[begin:end] if call.status not in ToolCall.OPEN]
    return More(cards=tuple(map(Card, call_views(some, AT_FIRST))), begin=end, left=last - end)


def _stretch(conversation: Conversation, leaf_id: UUID | None) -> Stretch:
    found = beginnings(leaf_id, last=PAGE + 1)
    shown: list[Shown] = []
    room = PAGE_BYTES
    for one in _shown(conversation, found[-PAGE:]):  # the latest first
        room -= one.html_size
        if shown and room < 0:
            break
        shown.append(one)
    return Stretch(tuple(reversed(shown)), has_earlier=len(found) > len(shown))


def _shown(conversation: Conversation, messages: Iterable[Message]) -> Iterable[Shown]:
    """The last one first: each is rendered when it is asked for."""
    messages = list(messages)
    waiting = _waiting(conversation)
    behind = set(waiting[1:] if _is_idle(conversation) else waiting)
    took = {pk: (of_answer(turn), context_of(turn)) for pk, turn in _over(messages).items()}
    page = Page(conversation.pk, [message.pk for message in messages])
    seen = views(messages, live=so_far(conversation), limits=AT_FIRST)
    sizes = _sizes(view for view in seen if view.truncated)
    shown = [
        (message, view, tuple(_parts(view, page)) if view.role == "assistant" else ())
        for message, view in zip(reversed(messages), reversed(seen), strict=True)
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
            size=sizes.get(message.pk, 0),
        )


def _sizes(cut: Iterable[MessageView]) -> dict[UUID, int]:
    """Bytes of the whole texts of messages."""
    rows = Message.objects.filter(pk__in=[view.id for view in cut])
    return dict(rows.values_list("pk", Bytes("content")))


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
    first = AT_FIRST.calls // 2 if view.calls else None
    for number, call in enumerate(view.tool_calls):
        if number == first and view.calls:
            left_out = view.calls - len(view.tool_calls)
            yield partial(Part, more_calls=left_out, more_from=number)
        yield from stretch(view, page, begin, call.offset)
        yield partial(Part, card=Card(call))
        begin = max(begin, call.offset)
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
