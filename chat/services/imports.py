"""A conversation out of a file: all of it or nothing, in short steps.

Until the last step it is hidden; whoever finds one whose importer is dead clears it away. What is here is never changed: a conversation that is here already is left as it is, and ids that
are somebody else's become new ones. Nothing that is imported runs, waits or gives rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from time import sleep
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import Error, IntegrityError

from chat import search, statements
from chat.database import one_snapshot
from chat.models import (
    Conversation,
    ConversationQuerySet,
    Message,
    OpaquePart,
    ToolCall,
    ToolRule,
    Turn,
)
from chat.services import hidden
from chat.services.importers import alone_with
from chat.services.steps import Work, step
from chat.transfer.comparing import Differs, compared, stored
from chat.transfer.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import at_rest, other_id, parents_first, renamed

T = TypeVar("T")
FindUser = Callable[[str], User | None]
"""From a username of the file to a user here."""
OnStep = Callable[[float], None]
_ROWS = 500
_AT_ONCE = 50
_CHARACTERS = 64 * 1024
_ELSEWHERE = "it is being imported at this moment. Import the file again when that is over"


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
    owner: User,
    archived: ArchivedConversation,
    *,
    find_user: FindUser,
    dry_run: bool = False,
    on_step: OnStep = lambda part: None,
) -> Imported:
    """Make an archived conversation the owner's. With `dry_run` only say what would become of it.

    `on_step` is told how much of it is here, from 0 to 1, between two steps; what it raises ends
    the import, and nothing of the conversation stays.
    """
    for _ in range(3):
        with one_snapshot():
            place = _place(owner, archived)
        if isinstance(place, Imported):
            return place
        if not dry_run:
            with alone_with(place.id) as is_ours:
                if not is_ours:
                    return Imported(Outcome.SKIPPED, place.id, _ELSEWHERE)
                if not _is_brought_in(owner, at_rest(place), find_user, on_step):
                    continue  # somebody made the same at the same moment: look again
        is_new = place.id != archived.id
        note = "its id is taken here: it got a new one" if is_new else ""
        return Imported(Outcome.IMPORTED, place.id, note)
    return _taken(archived)


def _place(owner: User, archived: ArchivedConversation) -> ArchivedConversation | Imported:
    """The conversation under the ids that it gets here, or what there is instead."""
    mine = Conversation.objects.of(owner)
    if mine.filter(pk=archived.id).exists():
        return _present(archived)
    if mine.filter(pk=other_id(archived.id, owner.username)).exists():
        return _present(renamed(archived, owner.username))
    if _is_free(archived):
        return archived
    other = renamed(archived, owner.username)
    return other if _is_free(other) else _taken(archived)


def _is_free(archived: ArchivedConversation) -> bool:
    holders = _holders(archived) | {archived.id}
    return not any(_staying().filter(pk__in=some).exists() for some in _parts([*holders]))


def _staying() -> ConversationQuerySet:
    """All but those that go, and halves that come: what holds an id."""
    going = (Conversation.Hidden.LEAVING, Conversation.Hidden.ARRIVING)
    return Conversation.hidden_too.exclude(hidden__in=going)


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


def _holders(archived: ArchivedConversation) -> set[UUID]:
    """The conversations that have its messages' ids."""
    ids = [message.id for message in archived.messages]
    rows = (Message.objects.filter(pk__in=some) for some in _parts(ids))
    return {found for held in rows for found in held.values_list("conversation", flat=True)}


def _is_brought_in(
    owner: User, archived: ArchivedConversation, find_user: FindUser, on_step: OnStep
) -> bool:
    """False: something of it has come here meanwhile."""
    _clear_the_way(archived)
    done = _Done(len(archived.messages))
    work = _insert(owner, archived, find_user, done)
    try:
        while (pause := step(work)) is not None:
            on_step(done.part)
            sleep(pause)
    except IntegrityError:
        hidden.give_up(archived.id)
        return False
    except BaseException:
        with suppress(Error):  # the database may be away: then others will see to it
            hidden.give_up(archived.id)
        raise
    return True


def _clear_the_way(archived: ArchivedConversation) -> None:
    """Of what it is made of something may be here still that goes, or never came whole."""
    for conversation_id in _holders(archived) | {archived.id}:
        if conversation_id == archived.id:
            hidden.give_up(conversation_id)
        else:
            hidden.give_up_if_dead(conversation_id)
        hidden.finish_all([conversation_id])


@dataclass
class _Done:
    """How far it is."""

    messages: int
    stored: int = 0

    @property
    def part(self) -> float:
        return self.stored / self.messages


def _insert(owner: User, archived: ArchivedConversation, find_user: FindUser, done: _Done) -> Work:
    conversation = Conversation(
        owner=owner,
        hidden=Conversation.Hidden.ARRIVING,
        **archived.model_dump(exclude={"format", "version", "owner", "leaf", "rules", "messages"}),
    )
    conversation.save(force_insert=True)
    taken = _taken_client_ids(owner, archived)
    people = _people(archived, owner, find_user)
    for said in _by_size(parents_first(archived.messages), _said):
        _hold(conversation)
        messages = [_message(conversation, message, taken) for message in said]
        statements.insert(*messages)
        if turns := list(_turns(conversation, said, taken)):
            statements.insert(*turns)
        search.index_messages(messages)
        for calls in _by_size(_calls(said, people), _called):
            statements.insert(*calls)
            yield
        for parts in _by_size(_opaque(said), lambda part: len(part.data)):
            statements.insert(*parts)
            yield
        done.stored += len(said)
        yield
    for rules in _parts(archived.rules):
        ToolRule.objects.bulk_create(
            ToolRule(conversation=conversation, imported=True, **rule.model_dump())
            for rule in rules
        )
        yield
    _hold(conversation)
    if archived.titled_by != Conversation.TitledBy.OPENING:
        search.index_title(conversation, archived.title)
    conversation.leaf_id, conversation.hidden = archived.leaf, Conversation.Hidden.NOT
    conversation.save(update_fields=["leaf", "hidden"])


def _hold(conversation: Conversation) -> None:
    """For the rest of the step. Nobody clears it away while we are alone with it."""
    if not hidden.is_held(conversation.pk, Conversation.Hidden.ARRIVING):
        raise IntegrityError("somebody has cleared it away")


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


def _people(archived: ArchivedConversation, owner: User, find_user: FindUser) -> FindUser:
    """Who owned it there, owns it here."""
    return lambda name: owner if name == archived.owner else find_user(name)


def _calls(messages: Iterable[ArchivedMessage], people: FindUser) -> Iterator[ToolCall]:
    for message in messages:
        for call in message.calls:
            yield ToolCall(
                message_id=message.id,
                decided_by=people(call.decided_by) if call.decided_by else None,
                **call.model_dump(exclude={"decided_by"}),
            )


def _opaque(messages: Iterable[ArchivedMessage]) -> Iterator[OpaquePart]:
    for message in messages:
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


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """SQLite takes a limited number of parameters."""
    return (values[at : at + _ROWS] for at in range(0, len(values), _ROWS))


def _said(message: ArchivedMessage) -> int:
    return len(message.content) + len(message.reasoning)


def _called(call: ToolCall) -> int:
    return len(call.arguments) + len(call.edited_arguments) + len(call.result)


def _by_size(rows: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """As many rows as are stored in a few milliseconds; what is large is alone."""
    some: list[T] = []
    characters = 0
    for row in rows:
        characters += size(row)
        if some and (len(some) == _AT_ONCE or characters > _CHARACTERS):
            yield some
            some, characters = [], size(row)
        some.append(row)
    if some:
        yield some
