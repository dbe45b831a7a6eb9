"""A conversation out of a file: one transaction, all of it or nothing.

What is here is never changed: a conversation that is here already is left as it is, and ids that
are somebody else's become new ones. Nothing that is imported runs, waits or gives rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from chat import search
from chat.database import one_snapshot
from chat.models import Conversation, Message, OpaquePart, ToolCall, ToolRule, Turn
from chat.transfer.comparing import Differs, compared, stored
from chat.transfer.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import at_rest, renamed

T = TypeVar("T")
FindUser = Callable[[str], User | None]
"""From a username of the file to a user here."""
_ROWS = 500


class Outcome(Enum):
    IMPORTED = "imported"
    PRESENT = "here already"
    SKIPPED = "skipped"
    """Through a fault: something of the file is not here."""


@dataclass(frozen=True)
class Imported:
    """What became of a conversation of a file."""

    outcome: Outcome
    conversation_id: UUID
    note: str = ""
    """What a person may want to know of it; of a fault: what it is, and what to do."""


def import_conversation(
    owner: User, archived: ArchivedConversation, *, find_user: FindUser, dry_run: bool = False
) -> Imported:
    """Make an archived conversation the owner's. With `dry_run` only say what would become of it."""
    for _ in range(3):
        with one_snapshot():
            place = _place(owner, archived)
        if isinstance(place, Imported):
            return place
        try:
            if not dry_run:
                _insert(owner, at_rest(place), find_user)
        except IntegrityError:
            continue  # somebody made the same at the same moment: look again
        is_new = place.id != archived.id
        note = "its id is taken here: it got a new one" if is_new else ""
        return Imported(Outcome.IMPORTED, place.id, note)
    return _taken(archived)


def _place(owner: User, archived: ArchivedConversation) -> ArchivedConversation | Imported:
    """The conversation under the ids that it gets here, or what there is instead."""
    for candidate in (archived, other := renamed(archived, owner.username)):
        if Conversation.objects.of(owner).filter(pk=candidate.id).exists():
            return _present(candidate)
    for candidate in (archived, other):
        if not Conversation.objects.filter(pk=candidate.id).exists() and not _has_taken(candidate):
            return candidate
    return _taken(archived)


def _taken(archived: ArchivedConversation) -> Imported:
    return Imported(
        Outcome.SKIPPED, archived.id, "its id and the ids of its messages are taken here"
    )


def _present(archived: ArchivedConversation) -> Imported:
    try:
        note = compared(archived, stored(archived.id))
    except Differs as differs:
        what_to_do = "Delete that one first if you want the file's"
        return Imported(
            Outcome.SKIPPED, archived.id, f"it is here already, and {differs}. {what_to_do}"
        )
    note = f"it is here already and stays as it is: {note}" if note else ""
    return Imported(Outcome.PRESENT, archived.id, note)


def _has_taken(archived: ArchivedConversation) -> bool:
    ids = [message.id for message in archived.messages]
    return any(Message.objects.filter(pk__in=some).exists() for some in _parts(ids))


@transaction.atomic
def _insert(owner: User, archived: ArchivedConversation, find_user: FindUser) -> None:
    conversation = Conversation(
        owner=owner,
        leaf_id=archived.leaf,
        **archived.model_dump(exclude={"format", "version", "owner", "leaf", "rules", "messages"}),
    )
    conversation.save(force_insert=True)
    taken = _taken_client_ids(owner, archived)
    messages = [_message(conversation, message, taken) for message in archived.messages]
    Message.objects.bulk_create(messages)
    Turn.objects.bulk_create(_turns(conversation, archived, taken))
    ToolCall.objects.bulk_create(_calls(archived, owner, find_user))
    OpaquePart.objects.bulk_create(_opaque(archived))
    ToolRule.objects.bulk_create(
        ToolRule(conversation=conversation, imported=True, **rule.model_dump())
        for rule in archived.rules
    )
    search.index_messages(messages)
    if archived.titled_by != Conversation.TitledBy.OPENING:
        search.index_title(conversation, archived.title)


def _message(conversation: Conversation, message: ArchivedMessage, taken: set[str]) -> Message:
    return Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=message.parent,
        client_id=None if message.client_id in taken else message.client_id,
        **message.model_dump(exclude={"parent", "client_id", "turn", "calls", "opaque"}),
    )


def _turns(
    conversation: Conversation, archived: ArchivedConversation, taken: set[str]
) -> Iterator[Turn]:
    for message in archived.messages:
        if (turn := message.turn) is not None:
            yield Turn(
                message_id=message.id,
                conversation=conversation,
                client_id=None if turn.client_id in taken else turn.client_id,
                **turn.model_dump(exclude={"client_id"}),
            )


def _calls(archived: ArchivedConversation, owner: User, find_user: FindUser) -> Iterator[ToolCall]:
    for message in archived.messages:
        for call in message.calls:
            by = call.decided_by
            # who owned it there, owns it here
            person = owner if by == archived.owner else find_user(by) if by else None
            yield ToolCall(
                message_id=message.id,
                decided_by=person,
                **call.model_dump(exclude={"decided_by"}),
            )


def _opaque(archived: ArchivedConversation) -> Iterator[OpaquePart]:
    for message in archived.messages:
        for part in message.opaque:
            yield OpaquePart(message_id=message.id, **part.model_dump())


def _taken_client_ids(owner: User, archived: ArchivedConversation) -> set[str]:
    """Those that the owner has used here: a repeated send must find its own message."""
    ids = {message.client_id for message in archived.messages}
    ids |= {message.turn.client_id for message in archived.messages if message.turn}
    taken: set[str] = set()
    for some in _parts([client_id for client_id in ids if client_id is not None]):
        mine = Message.objects.filter(owner=owner, client_id__in=some)
        taken |= {found for found in mine.values_list("client_id", flat=True) if found}
        turns = Turn.objects.filter(message__owner=owner, client_id__in=some)
        taken |= {found for found in turns.values_list("client_id", flat=True) if found}
    return taken


def _parts(values: list[T]) -> Iterator[list[T]]:
    """SQLite takes a limited number of parameters."""
    return (values[at : at + _ROWS] for at in range(0, len(values), _ROWS))
