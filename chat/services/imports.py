"""A conversation out of a file: one transaction, all of it or nothing.

What is here is not changed: a conversation that is here already only gets what it has more in the
file, and ids that are somebody else's become new ones. Nothing that is imported runs, waits or
gives rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from chat import search
from chat.database import one_snapshot
from chat.errors import SessionNotFound
from chat.models import Conversation, Message, OpaquePart, ToolCall, ToolRule, Turn
from chat.services.base import locked
from chat.services.conversations import remove
from chat.services.growing import grow
from chat.services.here import Here, Rehearsal, parts
from chat.services.planning import Imported, Outcome, Plan, plan, taken
from chat.transfer.format import ArchivedConversation, ArchivedMessage

FindUser = Callable[[str], User | None]
"""From a username of the file to a user here."""


class _MovedOn(Exception):
    """Somebody did something in the conversation since it was looked at."""


def import_conversation(
    owner: User,
    archived: ArchivedConversation,
    *,
    find_user: FindUser,
    here: Here | None = None,
    renew: bool = False,
) -> Imported:
    """Make an archived conversation the owner's; `renew` as in `plan`.

    With `here` a `Rehearsal`, only say what would become of it.
    """
    here = here or Here()
    for _ in range(3):
        with one_snapshot():
            planned = plan(owner, archived, here, renew=renew)
        try:
            _carry_out(owner, planned, here, find_user)
        except (IntegrityError, SessionNotFound, _MovedOn):
            continue  # somebody made the same at the same moment, say: look again
        return planned.imported
    return taken(archived).imported


def _carry_out(owner: User, planned: Plan, here: Here, find_user: FindUser) -> None:
    whole, new = planned.whole, planned.new
    if whole is None:
        return
    if isinstance(here, Rehearsal):
        here.write(owner, whole)
    elif new is not None:
        grow(owner, whole, new, lambda to, some: _insert_messages(to, some, owner, find_user))
    elif planned.imported.outcome is Outcome.RENEWED:
        _renew(owner, whole, here, find_user)
    else:
        _insert(owner, whole, find_user)


@transaction.atomic
def _renew(owner: User, whole: ArchivedConversation, here: Here, find_user: FindUser) -> None:
    """Put it in the place of what is here, unless somebody has gone on with that meanwhile."""
    conversation = locked(owner, whole.id)
    said = Message.objects.filter(conversation=conversation).values_list("pk", flat=True)
    if here.went_on(whole.id) or not {message.id for message in whole.messages}.issuperset(said):
        raise _MovedOn
    remove(conversation)
    _insert(owner, whole, find_user)


@transaction.atomic
def _insert(owner: User, archived: ArchivedConversation, find_user: FindUser) -> None:
    conversation = Conversation(
        owner=owner,
        leaf_id=archived.leaf,
        **archived.model_dump(exclude={"format", "version", "owner", "leaf", "rules", "messages"}),
    )
    conversation.save(force_insert=True)
    _insert_messages(conversation, archived, owner, find_user)
    ToolRule.objects.bulk_create(
        ToolRule(conversation=conversation, imported=True, **rule.model_dump())
        for rule in archived.rules
    )
    if archived.titled_by != Conversation.TitledBy.OPENING:
        search.index_title(conversation, archived.title)


def _insert_messages(
    conversation: Conversation, archived: ArchivedConversation, owner: User, find_user: FindUser
) -> None:
    taken = _taken_client_ids(owner, archived)
    messages = [_message(conversation, message, taken) for message in archived.messages]
    Message.objects.bulk_create(messages)
    Turn.objects.bulk_create(_turns(conversation, archived, taken))
    ToolCall.objects.bulk_create(_calls(archived, owner, find_user))
    OpaquePart.objects.bulk_create(_opaque(archived))
    search.index_messages(messages)


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
    for some in parts([client_id for client_id in ids if client_id is not None]):
        mine = Message.objects.filter(owner=owner, client_id__in=some)
        taken |= {found for found in mine.values_list("client_id", flat=True) if found}
        turns = Turn.objects.filter(message__owner=owner, client_id__in=some)
        taken |= {found for found in turns.values_list("client_id", flat=True) if found}
    return taken
