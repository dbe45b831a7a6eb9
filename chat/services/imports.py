"""A conversation out of a file: all of it or nothing, in short steps.

Until the last step it is hidden; whoever finds one whose importer is dead clears it away. What is
here is not changed: a conversation that is here already only gets what it has more in the file, and
ids that are somebody else's become new ones. Nothing that is imported runs, waits or gives rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from time import sleep
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import Error, IntegrityError, transaction

from chat import search, statements
from chat.database import one_snapshot
from chat.errors import SessionNotFound
from chat.models import Conversation, Message, OpaquePart, ToolCall, ToolRule, Turn
from chat.services import hidden
from chat.services.base import locked
from chat.services.conversations import remove
from chat.services.growing import show
from chat.services.here import Here, Rehearsal, parts
from chat.services.importers import alone_with
from chat.services.planning import Imported, Outcome, Plan, plan, taken
from chat.services.steps import Work, step
from chat.transfer.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import parents_first

T = TypeVar("T")
FindUser = Callable[[str], User | None]
"""From a username of the file to a user here."""
OnStep = Callable[[float], None]
_AT_ONCE = 50
_CHARACTERS = 64 * 1024
_ELSEWHERE = "it is being imported at this moment. Import the file again when that is over"


class _MovedOn(Exception):
    """Somebody did something in the conversation since it was looked at."""


def import_conversation(
    owner: User,
    archived: ArchivedConversation,
    *,
    find_user: FindUser,
    here: Here | None = None,
    renew: bool = False,
    on_step: OnStep = lambda part: None,
) -> Imported:
    """Make an archived conversation the owner's; `renew` as in `plan`.

    With `here` a `Rehearsal`, only say what would become of it. `on_step` is told how much of it is
    here, from 0 to 1, between two steps; what it raises ends the import, and nothing of a new
    conversation stays.
    """
    here = here or Here()
    for _ in range(3):
        with one_snapshot():
            planned = plan(owner, archived, here, renew=renew)
        if planned.whole is None:
            return planned.imported
        if isinstance(here, Rehearsal):
            here.write(owner, planned.whole)
            return planned.imported
        with alone_with(planned.whole.id) as is_ours:
            if not is_ours:
                return Imported(Outcome.SKIPPED, planned.whole.id, _ELSEWHERE)
            try:
                _Run(owner, planned.whole, find_user, on_step).carry_out(planned)
            except (IntegrityError, SessionNotFound, _MovedOn):
                continue  # somebody made the same at the same moment, say: look again
        return planned.imported
    return taken(archived).imported


class _Run:
    """One conversation on its way from a file into the database."""

    def __init__(
        self, owner: User, whole: ArchivedConversation, find_user: FindUser, on_step: OnStep
    ) -> None:
        self._owner, self._whole, self._on_step = owner, whole, on_step
        # who owned it there, owns it here
        self._person: FindUser = lambda name: owner if name == whole.owner else find_user(name)
        self._done = 0
        """Messages that are stored."""

    def carry_out(self, planned: Plan) -> None:
        """Raises `IntegrityError`, `SessionNotFound` and `_MovedOn`: it is not as it was planned."""
        if planned.new is not None:
            self._finish(self._grown(planned.new), len(planned.new.messages))
        elif planned.imported.outcome is not Outcome.RENEWED or not self._is_renewed_at_once():
            self._bring_in()

    def _is_renewed_at_once(self) -> bool:
        """Take away what is here, unless somebody has gone on with it meanwhile; where it is little,
        put this in its place in the same transaction."""
        whole = self._whole
        with transaction.atomic():
            conversation = locked(self._owner, whole.id)
            said = Message.objects.filter(conversation=conversation).values_list("pk", flat=True)
            is_all = {message.id for message in whole.messages}.issuperset(said)
            if Here().went_on(whole.id) or not is_all:
                raise _MovedOn
            remove(conversation)
            if Conversation.hidden_too.filter(pk=whole.id).exists():
                return False
            for _ in self._inserted():
                pass
        return True

    def _bring_in(self) -> None:
        _clear_the_way(self._whole)
        try:
            self._finish(self._inserted(), len(self._whole.messages))
        except BaseException:
            with suppress(Error):  # the database may be away: then others will see to it
                hidden.give_up(self._whole.id)
            raise

    def _finish(self, work: Work, messages: int) -> None:
        while (pause := step(work)) is not None:
            self._on_step(self._done / messages)
            sleep(pause)

    def _grown(self, new: ArchivedConversation) -> Work:
        """On no current branch until the end; whoever is cut off adds the rest the next time."""
        conversation = locked(self._owner, self._whole.id)
        yield from self._messages(conversation, new, partial(locked, self._owner, self._whole.id))
        show(self._owner, self._whole)

    def _inserted(self) -> Work:
        archived = self._whole
        without = {"format", "version", "owner", "leaf", "rules", "messages"}
        conversation = Conversation(
            owner=self._owner,
            hidden=Conversation.Hidden.ARRIVING,
            **archived.model_dump(exclude=without),
        )
        conversation.save(force_insert=True)
        hold = partial(_hold, conversation)
        yield from self._messages(conversation, archived, hold)
        for rules in parts(archived.rules):
            ToolRule.objects.bulk_create(
                ToolRule(conversation=conversation, imported=True, **rule.model_dump())
                for rule in rules
            )
            yield
        hold()
        if archived.titled_by != Conversation.TitledBy.OPENING:
            search.index_title(conversation, archived.title)
        conversation.leaf_id, conversation.hidden = archived.leaf, Conversation.Hidden.NOT
        conversation.save(update_fields=["leaf", "hidden"])

    def _messages(
        self,
        conversation: Conversation,
        archived: ArchivedConversation,
        hold: Callable[[], object],
    ) -> Work:
        """Store messages with all that belongs to them; `hold` keeps the conversation for a step."""
        taken = _taken_client_ids(self._owner, archived)
        for said in _by_size(parents_first(archived.messages), _said):
            hold()
            messages = [_message(conversation, message, taken) for message in said]
            statements.insert(*messages)
            if turns := list(_turns(conversation, said, taken)):
                statements.insert(*turns)
            search.index_messages(messages)
            for calls in _by_size(_calls(said, self._person), _called):
                statements.insert(*calls)
                yield
            for opaque in _by_size(_opaque(said), lambda part: len(part.data)):
                statements.insert(*opaque)
                yield
            self._done += len(said)
            yield


def _clear_the_way(archived: ArchivedConversation) -> None:
    """Of what it is made of something may be here still that goes, or never came whole."""
    for conversation_id in Here().holders(archived) | {archived.id}:
        if conversation_id == archived.id:
            hidden.give_up(conversation_id)
        else:
            hidden.give_up_if_dead(conversation_id)
        hidden.finish_all([conversation_id])


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
    for some in parts([client_id for client_id in ids if client_id is not None]):
        mine = Message.objects.filter(owner=owner, client_id__in=some)
        taken |= {found for found in mine.values_list("client_id", flat=True) if found}
        turns = Turn.objects.filter(message__owner=owner, client_id__in=some)
        taken |= {found for found in turns.values_list("client_id", flat=True) if found}
    return taken


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
