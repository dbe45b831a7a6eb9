"""A conversation as the page shows it: the wire's `MessageView`s, prepared for a template.

Nothing is decided here: `messages.py` defines a message, `markdown/` how its text looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from chat.db.functions import Bytes
from chat.display.messages import so_far, views
from chat.display.parts import AT_FIRST, parts_of
from chat.display.shown import Shown
from chat.display.usage import context_of, of_answer
from chat.markdown.pages import Page
from chat.models import Conversation, Message, Turn
from chat.models.branches import beginnings, ids, latest_leaf
from chat.protocol import MessageView
from chat.protocol.sizes import SHOWN

PAGE = 50
"""Messages on a page before it offers earlier ones; fewer if they are long."""
PAGE_BYTES = 1024 * 1024
"""Limit of their HTML: a page that would have more has fewer messages, but at least one."""
AFTER = 20
"""Messages after one that was found by a search."""


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


def latest(conversation: Conversation) -> Stretch:
    """Return the end of the current branch."""
    return _stretch(conversation, conversation.leaf_id)


def before(conversation: Conversation, message_id: UUID) -> Stretch:
    """Return the messages before a message of this conversation.

    Raises `Message.DoesNotExist`, also if there are none.
    """
    message = Message.objects.get(conversation=conversation, pk=message_id)
    if message.parent_id is None:
        raise Message.DoesNotExist
    return _stretch(conversation, message.parent_id)


def around(conversation: Conversation, message_id: UUID) -> Stretch | None:
    """Return the messages around one, on whichever branch; None: it is among the latest.

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
    """Return the end of the latest branch that holds a message. Raises `Message.DoesNotExist`."""
    message = Message.objects.get(conversation=conversation, pk=message_id, withdrawn=False)
    return _stretch(conversation, latest_leaf(message))


def one(conversation: Conversation, message_id: UUID) -> Shown | None:
    """Return a message of this conversation; None: there is no such message."""
    found = Message.objects.filter(conversation=conversation, pk=message_id, withdrawn=False)
    return next(iter(_show(conversation, found)), None)


def _stretch(conversation: Conversation, leaf_id: UUID | None) -> Stretch:
    found = beginnings(leaf_id, last=PAGE + 1, most=SHOWN)
    shown: list[Shown] = []
    room = PAGE_BYTES
    for one in _show(conversation, found[-PAGE:]):  # the latest first
        room -= one.html_size
        if shown and room < 0:
            break
        shown.append(one)
    return Stretch(tuple(reversed(shown)), has_earlier=len(found) > len(shown))


def _show(conversation: Conversation, messages: Iterable[Message]) -> Iterable[Shown]:
    """Yield messages, the last one first. Each is rendered only when it is reached."""
    messages = list(messages)
    waiting = _waiting(conversation)
    behind = set(waiting[1:] if _is_idle(conversation) else waiting)
    took = {pk: (of_answer(turn), context_of(turn)) for pk, turn in _ended_turns(messages).items()}
    page = Page(conversation.pk, [message.pk for message in messages])
    seen = views(messages, live=so_far(conversation), limits=AT_FIRST)
    sizes = _sizes(view for view in seen if view.truncated)
    shown = [
        (message, view, tuple(parts_of(view, page)) if view.role == "assistant" else ())
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
    """Return the bytes of whole texts, by message."""
    rows = Message.objects.filter(pk__in=[view.id for view in cut])
    return dict(rows.values_list("pk", Bytes("content")))


def _ended_turns(messages: Iterable[Message]) -> dict[UUID, Turn]:
    """Return the turns that are over, by message."""
    turns = Turn.objects.filter(message__in=[message.pk for message in messages])
    return {turn.message_id: turn for turn in turns if turn.is_over}


def _waiting(conversation: Conversation) -> list[UUID | None]:
    """Return the questions whose answers have not begun, in order."""
    queued = Turn.objects.queued().filter(conversation=conversation)
    return list(queued.values_list("message__parent", flat=True))


def _is_idle(conversation: Conversation) -> bool:
    """Whether no turn is live, so that the first queued one is about to begin."""
    return not Turn.objects.filter(conversation=conversation).live().exists()
