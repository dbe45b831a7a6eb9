"""A conversation out of a file: all of it or nothing, in short steps.

Until the last step it is hidden; whoever finds one whose importer is dead clears it away. What is
here is not changed: a conversation that is here already only gets what it has more in the file, and
ids that are somebody else's become new ones. Nothing that is imported runs, waits or gives rights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import sleep
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import Error, IntegrityError, transaction

from chat import search
from chat.db import sql
from chat.db.lanes import one_snapshot
from chat.errors import SessionNotFound
from chat.models import Conversation, Message, OpaquePart, ToolCall, ToolRule, Turn
from chat.services import hidden
from chat.services.base import locked
from chat.services.conversations import remove
from chat.services.imports.existing import Here, Rehearsal, parts
from chat.services.imports.growth import join, show
from chat.services.imports.locks import alone_with
from chat.services.imports.plan import Imported, Outcome, Plan, plan, taken
from chat.services.steps import Work, by_size, step
from chat.transfer.archive.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import parents_first

FindUser = Callable[[str], User | None]
"""From a username of the file to a user here."""
OnStep = Callable[[float], None]
_PATIENCE = 0.5
"""Seconds: a server that looks whether the importer of a half conversation lives has its lock."""
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
    conversation stays. Once an earlier one is gone for the file's, that comes whole all the same:
    what was raised is told in `Imported.stopped`. If it cannot come, the error has a note of that.
    """
    here = here or Here()
    steps = _Steps(on_step)
    for _ in range(3):
        with one_snapshot():
            planned = plan(owner, archived, here, renew=renew)
        if planned.whole is None:
            return _skipped(planned.imported, archived, steps)
        if isinstance(here, Rehearsal):
            here.write(owner, planned.whole)
            return planned.imported
        with alone_with(planned.whole.id, patience=_PATIENCE) as is_ours:
            if not is_ours:
                return _skipped(
                    Imported(Outcome.SKIPPED, planned.whole.id, _ELSEWHERE), archived, steps
                )
            try:
                _Run(owner, planned.whole, find_user, steps).carry_out(planned)
            except (IntegrityError, SessionNotFound, _MovedOn):
                continue  # somebody made the same at the same moment, say: look again
        return replace(planned.imported, stopped=steps.stopped)
    return _skipped(taken(archived).imported, archived, steps)


def _skipped(imported: Imported, archived: ArchivedConversation, steps: _Steps) -> Imported:
    """Nothing is written; of an earlier one that is gone already this is said."""
    note = ". ".join((imported.note, _lost(archived))) if steps.must_finish else imported.note
    return replace(imported, note=note, stopped=steps.stopped)


def _lost(archived: ArchivedConversation) -> str:
    return (
        f"The earlier import of “{archived.title}” is gone, and the file's is not here: "
        "import the file again"
    )


class _Steps:
    """Tells of each step; whoever is told may end the import, unless it `must_finish`."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step
        self.must_finish = False
        """There was an earlier one here, which is gone."""
        self.stopped: BaseException | None = None
        """What was raised then."""

    def tell(self, part: float) -> None:
        if self.stopped is not None:
            return
        try:
            self._on_step(part)
        except BaseException as error:
            if not self.must_finish:
                raise
            self.stopped = error


class _Run:
    """One conversation on its way from a file into the database."""

    def __init__(
        self, owner: User, whole: ArchivedConversation, find_user: FindUser, steps: _Steps
    ) -> None:
        self._owner, self._whole, self._steps = owner, whole, steps
        # who owned it there, owns it here
        self._person: FindUser = lambda name: owner if name == whole.owner else find_user(name)
        self._done = 0
        """Messages that are stored."""

    def carry_out(self, planned: Plan) -> None:
        """Raises `IntegrityError`, `SessionNotFound` and `_MovedOn`: it is not as it was planned."""
        if planned.new is not None:
            self._grow(planned.new)
        elif planned.imported.outcome is not Outcome.RENEWED or not self._is_renewed_at_once():
            self._bring_in(self._whole, self._inserted())

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
            if _is_little(whole) and not Conversation.hidden_too.filter(pk=whole.id).exists():
                for _ in self._inserted():
                    pass
                return True
        self._steps.must_finish = True
        return False

    def _grow(self, new: ArchivedConversation) -> None:
        """Add messages to what is here: where it is little, at once; else they wait in a hidden
        conversation of their own until all of them are there."""
        if _is_little(new):
            _clear_the_way(new)
            with transaction.atomic():
                conversation = locked(self._owner, self._whole.id)
                for _ in self._messages(conversation, new, lambda: None):
                    pass
                show(self._owner, self._whole)
            return
        aside = new.model_copy(update={"id": uuid4()})
        with alone_with(aside.id):
            self._bring_in(aside, self._grown(aside))

    def _bring_in(self, archived: ArchivedConversation, work: Work) -> None:
        """Do what makes a conversation; if that fails, nothing of it stays."""
        try:
            _clear_the_way(archived)
            self._finish(work, len(archived.messages))
        except BaseException as error:
            if self._steps.must_finish:
                error.add_note(f"{_lost(archived)}.")
            with suppress(Error):  # the database may be away: then others will see to it
                hidden.give_up(archived.id)
            raise

    def _finish(self, work: Work, messages: int) -> None:
        while (pause := step(work)) is not None:
            self._steps.tell(self._done / messages)
            sleep(pause)

    def _grown(self, aside: ArchivedConversation) -> Work:
        conversation = self._hidden(aside)
        hold = partial(_hold, conversation)
        yield from self._messages(conversation, aside, hold)
        hold()
        join(self._owner, conversation, self._whole)

    def _inserted(self) -> Work:
        archived = self._whole
        conversation = self._hidden(archived)
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

    def _hidden(self, archived: ArchivedConversation) -> Conversation:
        without = {"format", "version", "owner", "leaf", "rules", "messages"}
        conversation = Conversation(
            owner=self._owner,
            hidden=Conversation.Hidden.ARRIVING,
            **archived.model_dump(exclude=without),
        )
        conversation.save(force_insert=True)
        return conversation

    def _messages(
        self,
        conversation: Conversation,
        archived: ArchivedConversation,
        hold: Callable[[], object],
    ) -> Work:
        """Store messages with all that belongs to them; `hold` keeps the conversation for a step."""
        taken = _taken_client_ids(self._owner, archived)
        for said in by_size(parents_first(archived.messages), _said):
            hold()
            messages = [_message(conversation, message, taken) for message in said]
            sql.insert(*messages)
            if turns := list(_turns(conversation, said, taken)):
                sql.insert(*turns)
            search.index_messages(messages)
            for calls in by_size(_calls(said, self._person), _called):
                sql.insert(*calls)
                yield
            for opaque in by_size(_opaque(said), lambda part: len(part.data)):
                sql.insert(*opaque)
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


def _is_little(archived: ArchivedConversation) -> bool:
    """Few enough rows and words for one transaction."""
    calls = [call for message in archived.messages for call in message.calls]
    opaque = [part for message in archived.messages for part in message.opaque]
    size = sum(map(_said, archived.messages)) + sum(len(part.data) for part in opaque)
    size += sum(
        len(call.arguments) + len(call.edited_arguments) + len(call.result) for call in calls
    )
    rows = max(len(archived.messages), len(calls), len(opaque), len(archived.rules))
    return rows <= hidden.SMALL and size <= hidden.LITTLE


def _said(message: ArchivedMessage) -> int:
    return len(message.content) + len(message.reasoning)


def _called(call: ToolCall) -> int:
    return len(call.arguments) + len(call.edited_arguments) + len(call.result)
