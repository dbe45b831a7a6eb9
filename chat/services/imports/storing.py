"""Storing the messages of an archived conversation, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.contrib.auth.models import User

from chat import search
from chat.db import sql
from chat.models import Conversation, Message, OpaquePart, ToolCall, Turn
from chat.services import hidden
from chat.services.imports.existing import parts
from chat.services.steps import Work, by_size
from chat.transfer.archive.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import parents_first

FindUser = Callable[[str], User | None]
"""Finds the user here for a username in the file."""


def store_messages(
    conversation: Conversation,
    archived: ArchivedConversation,
    *,
    find_user: FindUser,
    hold: Callable[[], object] = lambda: None,
    on_stored: Callable[[int], object] = lambda number: None,
) -> Work:
    """Store the messages in steps. `hold` keeps the conversation for the rest of a step."""
    taken = _taken_client_ids(conversation.owner, archived)
    for some in by_size(parents_first(archived.messages), _text_size):
        hold()
        messages = [_message(conversation, message, taken) for message in some]
        sql.insert(*messages)
        if turns := list(_turns(conversation, some, taken)):
            sql.insert(*turns)
        search.index_messages(messages)
        for calls in by_size(_calls(some, find_user), _call_size):
            sql.insert(*calls)
            yield
        for opaque in by_size(_opaque(some), lambda part: len(part.data)):
            sql.insert(*opaque)
            yield
        on_stored(len(some))
        yield


def _message(conversation: Conversation, message: ArchivedMessage, taken: set[str]) -> Message:
    return Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=message.parent,
        client_id=None if message.client_id in taken else message.client_id,
        **message.model_dump(exclude={"parent", "client_id", "turn", "calls", "opaque"}),
    )


def _turns(
    conversation: Conversation, messages: Iterable[ArchivedMessage], taken: set[str]
) -> Iterator[Turn]:
    for message in messages:
        if (turn := message.turn) is not None:
            yield Turn(
                message_id=message.id,
                conversation=conversation,
                client_id=None if turn.client_id in taken else turn.client_id,
                **turn.model_dump(exclude={"client_id"}),
            )


def _calls(messages: Iterable[ArchivedMessage], find_user: FindUser) -> Iterator[ToolCall]:
    for message in messages:
        for call in message.calls:
            yield ToolCall(
                message_id=message.id,
                decided_by=find_user(call.decided_by) if call.decided_by else None,
                **call.model_dump(exclude={"decided_by"}),
            )


def _opaque(messages: Iterable[ArchivedMessage]) -> Iterator[OpaquePart]:
    for message in messages:
        for part in message.opaque:
            yield OpaquePart(message_id=message.id, **part.model_dump())


def _taken_client_ids(owner: User, archived: ArchivedConversation) -> set[str]:
    """Return the ids that the owner has used already: a repeated send must find its own message."""
    ids = {message.client_id for message in archived.messages}
    ids |= {message.turn.client_id for message in archived.messages if message.turn}
    taken: set[str] = set()
    for some in parts([client_id for client_id in ids if client_id is not None]):
        mine = Message.objects.filter(owner=owner, client_id__in=some)
        taken |= {found for found in mine.values_list("client_id", flat=True) if found}
        turns = Turn.objects.filter(message__owner=owner, client_id__in=some)
        taken |= {found for found in turns.values_list("client_id", flat=True) if found}
    return taken


def is_small(archived: ArchivedConversation) -> bool:
    """Whether it has few enough rows and texts for one transaction."""
    calls = [call for message in archived.messages for call in message.calls]
    opaque = [part for message in archived.messages for part in message.opaque]
    size = sum(map(_text_size, archived.messages)) + sum(len(part.data) for part in opaque)
    size += sum(
        len(call.arguments) + len(call.edited_arguments) + len(call.result) for call in calls
    )
    rows = max(len(archived.messages), len(calls), len(opaque), len(archived.rules))
    return rows <= hidden.SMALL and size <= hidden.LITTLE


def _text_size(message: ArchivedMessage) -> int:
    return len(message.content) + len(message.reasoning)


def _call_size(call: ToolCall) -> int:
    return len(call.arguments) + len(call.edited_arguments) + len(call.result)
