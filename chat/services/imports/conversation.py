"""Importing one conversation, completely or not at all, in short steps.

It is hidden until the last step; if its importer dies, any process that finds it clears it away.
Existing data is not changed: a conversation that exists already only gets the file's new messages,
and ids that belong to somebody else are replaced. Nothing imported runs, waits or grants rights.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import sleep
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import Error, IntegrityError, transaction

from chat import search
from chat.db.lanes import one_snapshot
from chat.errors import SessionNotFound
from chat.models import Conversation, Message, ToolRule
from chat.services import hidden
from chat.services.base import lock_conversation
from chat.services.conversations import remove
from chat.services.imports.existing import Here, Rehearsal, parts
from chat.services.imports.growth import join, show
from chat.services.imports.locks import alone_with
from chat.services.imports.plan import Imported, Outcome, Plan, plan, skip_taken
from chat.services.imports.storing import FindUser, is_small, store_messages
from chat.services.steps import Work, step
from chat.transfer.archive.format import ArchivedConversation

OnStep = Callable[[float], None]
_PATIENCE = 0.5
"""Seconds to wait for the lock: a server takes it briefly to see whether the importer lives."""
_ELSEWHERE = "it is being imported at this moment. Import the file again when that is done"


class _MovedOn(Exception):
    """The conversation has changed since its import was planned."""


def import_conversation(
    owner: User,
    archived: ArchivedConversation,
    *,
    find_user: FindUser,
    here: Here | None = None,
    renew: bool = False,
    on_step: OnStep = lambda part: None,
) -> Imported:
    """Import an archived conversation for the owner; `renew` as in `plan`.

    If `here` is a `Rehearsal`, only report what would happen. `on_step` is called between steps with
    the share that is stored, from 0 to 1. An exception it raises ends the import, and nothing of a
    new conversation is kept. Once an earlier import is deleted to be replaced, the replacement is
    completed first and the exception is returned in `Imported.stopped`. If the replacement fails,
    the error carries a note that says so.
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
                continue  # someone may have made the same one just now: plan again
        return replace(planned.imported, stopped=steps.stopped)
    return _skipped(skip_taken(archived).imported, archived, steps)


def _skipped(imported: Imported, archived: ArchivedConversation, steps: _Steps) -> Imported:
    """Return the result for a skipped conversation, with a note if an earlier import is gone."""
    note = ". ".join((imported.note, _lost(archived))) if steps.must_finish else imported.note
    return replace(imported, note=note, stopped=steps.stopped)


def _lost(archived: ArchivedConversation) -> str:
    return (
        f"The earlier import of “{archived.title}” is gone, and its replacement is not here: "
        "import the file again"
    )


class _Steps:
    """Reports each step to a callback, which may end the import unless it `must_finish`."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step
        self.must_finish = False
        """An earlier import has been deleted."""
        self.stopped: BaseException | None = None
        """The exception raised by the callback after that."""

    def report(self, part: float) -> None:
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
        # the owner in the file is the owner here
        self._find_user: FindUser = lambda name: owner if name == whole.owner else find_user(name)
        self._stored = 0
        """Messages stored so far."""

    def carry_out(self, planned: Plan) -> None:
        """Raises `IntegrityError`, `SessionNotFound` and `_MovedOn` if the plan no longer holds."""
        if planned.new is not None:
            self._grow(planned.new)
        elif planned.imported.outcome is not Outcome.RENEWED or not self._replace_at_once():
            self._store(self._whole, self._insert())

    def _replace_at_once(self) -> bool:
        """Delete the existing conversation, unless somebody has continued it meanwhile.

        If the new one is small, insert it in the same transaction and return True.
        """
        whole = self._whole
        with transaction.atomic():
            conversation = lock_conversation(self._owner, whole.id)
            said = Message.objects.filter(conversation=conversation).values_list("pk", flat=True)
            is_all = {message.id for message in whole.messages}.issuperset(said)
            if Here().went_on(whole.id) or not is_all:
                raise _MovedOn
            remove(conversation)
            if is_small(whole) and not Conversation.hidden_too.filter(pk=whole.id).exists():
                for _ in self._insert():
                    pass
                return True
        self._steps.must_finish = True
        return False

    def _grow(self, new: ArchivedConversation) -> None:
        """Add messages: a few at once, many through a hidden conversation until all are stored."""
        if is_small(new):
            _clear_the_way(new)
            with transaction.atomic():
                conversation = lock_conversation(self._owner, self._whole.id)
                conversation.owner = self._owner  # read already
                for _ in store_messages(conversation, new, find_user=self._find_user):
                    pass
                show(self._owner, self._whole)
            return
        aside = new.model_copy(update={"id": uuid4()})
        with alone_with(aside.id):
            self._store(aside, self._insert_aside(aside))

    def _store(self, archived: ArchivedConversation, work: Work) -> None:
        """Do the work that stores a conversation; if it fails, nothing of it is kept."""
        try:
            _clear_the_way(archived)
            self._finish(work, len(archived.messages))
        except BaseException as error:
            if self._steps.must_finish:
                error.add_note(f"{_lost(archived)}.")
            with suppress(Error):  # if the database is away, a server clears it later
                hidden.give_up(archived.id)
            raise

    def _finish(self, work: Work, messages: int) -> None:
        while (pause := step(work)) is not None:
            self._steps.report(self._stored / messages)
            sleep(pause)

    def _insert_aside(self, aside: ArchivedConversation) -> Work:
        conversation = self._hidden(aside)
        hold = partial(_hold, conversation)
        yield from self._messages(conversation, aside, hold)
        hold()
        join(self._owner, conversation, self._whole)

    def _insert(self) -> Work:
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
        self, conversation: Conversation, archived: ArchivedConversation, hold: Callable[[], object]
    ) -> Work:
        return store_messages(
            conversation,
            archived,
            find_user=self._find_user,
            hold=hold,
            on_stored=self._count,
        )

    def _count(self, messages: int) -> None:
        self._stored += messages


def _clear_the_way(archived: ArchivedConversation) -> None:
    """Finish deleting hidden conversations that still have its id or those of its messages."""
    for conversation_id in Here().holders(archived) | {archived.id}:
        if conversation_id == archived.id:
            hidden.give_up(conversation_id)
        else:
            hidden.give_up_if_dead(conversation_id)
        hidden.finish_all([conversation_id])


def _hold(conversation: Conversation) -> None:
    """Hold the conversation for the rest of the step. Our lock keeps others from clearing it away."""
    if not hidden.is_held(conversation.pk, Conversation.Hidden.ARRIVING):
        raise IntegrityError("the half conversation was cleared away")
