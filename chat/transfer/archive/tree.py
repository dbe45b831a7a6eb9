"""Checking that an archived conversation is consistent, beyond the types of its fields.

The rest of Talos relies on this: messages form trees, each answer follows a question, the current
branch exists, and unique values occur once. Linear time and no recursion, since a file may be
hostile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from chat.models import Message, OpaquePart

if TYPE_CHECKING:
    from chat.transfer.archive.format import Archived, ArchivedConversation, ArchivedMessage


def check(conversation: ArchivedConversation) -> None:
    """Raise `ValueError` with a readable reason if something is wrong."""
    if conversation.version == 1:
        _check_first_version(conversation)
    messages = {message.id: message for message in conversation.messages}
    _check_unique("message", (message.id for message in conversation.messages))
    _check_unique(
        "client_id", (m.client_id for m in conversation.messages if m.client_id is not None)
    )
    _check_unique("rule for", (rule.tool for rule in conversation.rules))
    for message in conversation.messages:
        _check_message(message, messages)
    _check_no_circle(messages)
    leaf = messages.get(conversation.leaf)
    if leaf is None or leaf.withdrawn:
        raise ValueError("leaf is not the id of a message in this conversation")


def _check_first_version(conversation: ArchivedConversation) -> None:
    """Refuse keys that came after version 1: those with a default."""
    for part in _with_parts(conversation):
        for key in part.model_fields_set:
            if not type(part).model_fields[key].is_required():
                raise ValueError(f"{key}: version 1 of the archive has no such key")


def _with_parts(conversation: ArchivedConversation) -> Iterator[Archived]:
    yield conversation
    yield from conversation.rules
    for message in conversation.messages:
        yield message
        yield from filter(None, [message.turn])
        yield from message.calls


def _check_unique(what: str, values: Iterable[Hashable]) -> None:
    for value, times in Counter(values).items():
        if times > 1:
            raise ValueError(f"the {what} {value} occurs {times} times")


def _check_message(message: ArchivedMessage, messages: dict[UUID, ArchivedMessage]) -> None:
    if message.parent is not None and message.parent not in messages:
        raise ValueError(f"the parent of message {message.id} is not in this conversation")
    if message.parent is not None and messages[message.parent].withdrawn and not message.withdrawn:
        raise ValueError(f"message {message.id} follows a withdrawn message")
    if message.role == Message.Role.USER:
        if message.turn or message.calls or message.opaque:
            raise ValueError(
                f"message {message.id} is a question, but has a turn, calls or opaque parts"
            )
    elif message.parent is None:
        raise ValueError(f"the answer {message.id} answers nothing: it has no parent")
    _check_unique(f"call (of message {message.id})", (call.call_id for call in message.calls))
    _check_opaque(message)


def _check_opaque(message: ArchivedMessage) -> None:
    call_ids = {"", *(call.call_id for call in message.calls)}
    for part in message.opaque:
        if part.call_id not in call_ids:
            raise ValueError(
                f"message {message.id} has an opaque part for a call that it does not have"
            )
        if part.kind == OpaquePart.THOUGHT and not _is_within(part.data, message.content):
            raise ValueError(
                f"message {message.id} has a thought that does not end within its content"
            )


def _is_within(place: str, text: str) -> bool:
    """Whether a decimal number is a position in a text. Long numbers are not parsed."""
    is_number = place.isascii() and place.isdecimal() and len(place) <= len(str(len(text)))
    return is_number and int(place) <= len(text)


def _check_no_circle(messages: dict[UUID, ArchivedMessage]) -> None:
    """Refuse chains of parents that never end."""
    ends: set[UUID] = set()
    for start in messages:
        chain: set[UUID] = set()
        at: UUID | None = start
        while at is not None and at not in ends:
            if at in chain:
                raise ValueError(f"the parents of message {at} form a circle")
            chain.add(at)
            at = messages[at].parent
        ends |= chain
