"""What is said and answered: every write around a message and its turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import publish, search
from chat.db import sql
from chat.errors import MessageTooLong, NotAllowed, RateLimited
from chat.models import Conversation, Message, Turn, shown
from chat.models.branches import ids, latest_leaf
from chat.protocol import (
    MAX_QUEUED,
    MAX_TEXT,
    BranchChanged,
    BranchData,
    Done,
    MessageCreated,
    MessageCreatedData,
)
from chat.search.words import words
from chat.services import hidden
from chat.services.base import locked
from chat.services.conversations import begin
from chat.turns import engine

OPENING_WORDS = 60
"""Code points of the first message that serve as a title until there is a better one."""
MAX_CONTEXT = 1_000_000


@dataclass(frozen=True)
class Said:
    """A stored send."""

    conversation_id: UUID
    question: Message
    turn: Turn
    is_new: bool
    """False: this `client_id` had been sent before, and nothing was made."""


def say(
    owner: User,
    *,
    conversation_id: UUID,
    text: str,
    model: str | None = None,
    default_model: str,
    context: int | None = None,
    client_id: str | None = None,
    begins: bool = False,
) -> Said:
    """Store a message and queue its answer.

    `model` answers it, else the conversation's own, else `default_model`. `context` is how many
    stored messages before it the model is given (None: all). With `begins` the conversation is
    made first, and keeps `model`. A `client_id` that the owner has sent before makes
    nothing: the first one's rows come back. Raises `MessageTooLong`, `RateLimited` and
    `SessionNotFound`.
    """
    _check_length(text)
    try:
        with transaction.atomic():
            if said := said_before(owner, client_id):
                return said
            _check_rate(owner)
            if begins:
                begin(owner, conversation_id=conversation_id, model=model or "")
            conversation = locked(owner, conversation_id)
            model = model or conversation.model or default_model
            return _say(conversation, text, model, context, client_id)
    except IntegrityError:
        # the same client_id through another process, at the same moment
        if said := said_before(owner, client_id):
            return said
        if hidden.is_freed(owner.pk, client_id):
            return say(
                owner,
                conversation_id=conversation_id,
                text=text,
                model=model,
                default_model=default_model,
                context=context,
                client_id=client_id,
                begins=begins,
            )
        raise


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise MessageTooLong(
            f"A message has at most {MAX_TEXT:,} characters; this one {len(text):,}."
        )


def said_before(owner: User, client_id: str | None) -> Said | None:
    """What came of the first send or edit with this `client_id`; None: there was none."""
    if client_id is None:
        return None
    turns = shown(Turn.objects.select_related("message__parent"))
    turn = turns.filter(message__owner=owner, client_id=client_id).first()
    if turn is None or turn.message.parent is None:
        return None
    return Said(turn.conversation_id, turn.message.parent, turn, is_new=False)


def _check_rate(owner: User) -> None:
    limit: int | None = settings.TALOS_SENDS_PER_MINUTE
    if limit is None:
        return
    now = timezone.now()  # what is later was said before the clock was put back
    minute = (now - timedelta(minutes=1), now)
    # each send, edit, regenerate and continue begins an answer
    recent = Message.objects.filter(
        owner=owner, created_at__range=minute, role=Message.Role.ASSISTANT
    )
    if recent.count() >= limit:
        raise RateLimited(f"At most {limit} messages a minute. Please wait a moment.")


def _say(
    conversation: Conversation, text: str, model: str, context: int | None, client_id: str | None
) -> Said:
    ((waiting,),) = sql.select(_WAITING, conversation.pk)
    if waiting > MAX_QUEUED:
        raise RateLimited(
            f"{MAX_QUEUED} messages are waiting already. Please let some be answered."
        )
    return _ask(conversation, conversation.leaf_id, text, model, context, client_id)


_WAITING = """
SELECT count(*) FROM chat_turn
WHERE conversation_id = %s AND status IN ('queued', 'running', 'waiting')
"""
_GROW = """
UPDATE chat_conversation SET title = %s, leaf_id = %s, updated_at = %s, archived = %s WHERE id = %s
"""


def _ask(
    conversation: Conversation,
    parent_id: UUID | None,
    text: str,
    model: str,
    context: int | None,
    client_id: str | None,
) -> Said:
    """A question after a message, told to every tab, and its answer queued."""
    question = Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=parent_id,
        role=Message.Role.USER,
        content=text,
        client_id=client_id,
    )
    sql.insert(question)
    found = words(text)
    search.index_message(
        question.pk, found, conversation_id=conversation.pk, owner_id=conversation.owner_id
    )
    if conversation.leaf_id is None and not conversation.title:
        # not indexed: these words are the message's
        conversation.title = opening_words(text)
    publish.announce(
        conversation.owner_id, message_created(question), conversation_id=conversation.pk
    )
    turn = _queue_answer(question, conversation, model=model, context=context, client_id=client_id)
    return Said(conversation.pk, question, turn, is_new=True)


def _queue_answer(
    after: Message,
    conversation: Conversation,
    *,
    model: str,
    context: int | None,
    client_id: str | None = None,
) -> Turn:
    """An empty answer after a message, from now on the end of the branch, and its turn."""
    now = timezone.now()
    answer = Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent=after,
        role=Message.Role.ASSISTANT,
        created_at=now,
    )
    sql.insert(answer)
    turn = Turn(
        message=answer,
        conversation=conversation,
        context=None if context is None else min(context, MAX_CONTEXT),
        model=model,
        client_id=client_id,
    )
    sql.insert(turn)
    conversation.leaf, conversation.updated_at, conversation.archived = answer, now, False
    sql.change(_GROW, conversation.title, answer.pk, now, False, conversation.pk)
    engine.nudge(conversation.pk)
    return turn


def opening_words(text: str) -> str:
    """A title until there is a better one: the beginning of the first message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= OPENING_WORDS else line[: OPENING_WORDS - 1].rstrip() + "…"


def message_created(question: Message) -> MessageCreated:
    """The frame that tells of a stored user message."""
    return MessageCreated(
        data=MessageCreatedData(
            message_id=str(question.pk), content=question.content, client_id=question.client_id
        )
    )


@transaction.atomic
def regenerate(
    owner: User,
    conversation_id: UUID,
    *,
    default_model: str,
    message_id: UUID | str | None = None,
    model: str | None = None,
    context: int | None = None,
) -> Turn:
    """Answer the last (or that) user message again; the earlier answer is kept as a sibling.

    `message_id` may also name an answer: its question is meant. Raises `NotAllowed` while an
    answer is being written, or where there is nothing to answer, and `RateLimited`.
    """
    _check_rate(owner)
    conversation = _at_rest(owner, conversation_id)
    question = _question(conversation, conversation.leaf_id if message_id is None else message_id)
    turn = _queue_answer(
        question,
        conversation,
        model=model or conversation.model or default_model,
        context=context,
    )
    _announce_branch(conversation)
    return turn


def edit(
    owner: User,
    conversation_id: UUID,
    *,
    message_id: UUID | str,
    text: str,
    model: str | None = None,
    default_model: str,
    context: int | None = None,
    client_id: str | None = None,
) -> Said:
    """Rewrite a user message as a sibling and answer it; the old branch is kept.

    A `client_id` makes a repetition harmless, as in `say`. Raises `MessageTooLong`, `NotAllowed`
    while an answer is being written or for anything but a user message, and `RateLimited`.
    """
    _check_length(text)
    try:
        with transaction.atomic():
            if said := said_before(owner, client_id):
                return said
            _check_rate(owner)
            conversation = _at_rest(owner, conversation_id)
            edited = _message(conversation, message_id)
            if edited.role != Message.Role.USER:
                raise NotAllowed("Only what a person said can be edited.")
            model = model or conversation.model or default_model
            said = _ask(conversation, edited.parent_id, text, model, context, client_id)
            _announce_branch(conversation)
            return said
    except IntegrityError:
        if said := said_before(owner, client_id):
            return said
        if hidden.is_freed(owner.pk, client_id):
            return edit(
                owner,
                conversation_id,
                message_id=message_id,
                text=text,
                model=model,
                default_model=default_model,
                context=context,
                client_id=client_id,
            )
        raise


@transaction.atomic
def continue_(
    owner: User,
    conversation_id: UUID,
    *,
    model: str | None = None,
    default_model: str,
    context: int | None = None,
) -> Turn:
    """Go on with the last answer, as a new turn after it.

    Raises `NotAllowed` unless that answer was cancelled, interrupted, cut short or failed, and
    `RateLimited`.
    """
    _check_rate(owner)
    conversation = _at_rest(owner, conversation_id)
    last = Turn.objects.select_related("message").filter(message=conversation.leaf_id).first()
    if last is None or last.is_whole:
        raise NotAllowed("There is nothing to go on with: the last answer is whole.")
    turn = _queue_answer(
        last.message,
        conversation,
        model=model or conversation.model or default_model,
        context=context,
    )
    _announce_branch(conversation)
    return turn


@transaction.atomic
def select(owner: User, conversation_id: UUID, message_id: UUID | str) -> None:
    """Make the branch that holds a message the current one; every tab is told.

    Where branches part below the message, the latest is taken. Raises `NotAllowed` while an
    answer is being written, and for a message that is not in this conversation.
    """
    conversation = _at_rest(owner, conversation_id)
    message = _message(conversation, message_id)
    if message.pk not in ids(conversation.leaf_id):
        conversation.leaf_id = latest_leaf(message)
        conversation.save(update_fields=["leaf"])
    _announce_branch(conversation)


def _at_rest(owner: User, conversation_id: UUID) -> Conversation:
    """The conversation, in which no answer is being written or waits to be."""
    conversation = locked(owner, conversation_id)
    if Turn.objects.filter(conversation=conversation).unfinished().exists():
        raise NotAllowed("An answer is still being written. Stop it first, or wait for its end.")
    return conversation


def _announce_branch(conversation: Conversation) -> None:
    publish.announce(
        conversation.owner_id,
        BranchChanged(data=BranchData(message_id=str(conversation.leaf_id))),
        conversation_id=conversation.pk,
    )


def _message(conversation: Conversation, message_id: UUID | str | None) -> Message:
    messages = Message.objects.filter(conversation=conversation, withdrawn=False)
    try:
        return messages.get(pk=UUID(str(message_id)))
    except (ValueError, Message.DoesNotExist):
        raise NotAllowed("There is no such message in this conversation.") from None


def _question(conversation: Conversation, message_id: UUID | str | None) -> Message:
    """The user message that is meant: itself, or the one that an answer belongs to."""
    message: Message | None = _message(conversation, message_id)
    while message is not None and message.role != Message.Role.USER:
        message = message.parent
    if message is None:
        raise NotAllowed("There is no question to answer again.")
    return message


@transaction.atomic
def cancel(owner: User, conversation_id: UUID) -> bool:
    """Ask for the live turn's end, wherever it runs. False: there is none.

    A turn that waits for a person is held by nobody: it is queued again, and whoever takes it
    ends it at once. So does a first turn that is not yet taken.
    """
    conversation = locked(owner, conversation_id)
    turns = Turn.objects.filter(conversation=conversation)
    turn = turns.live().first() or turns.queued().first()
    if turn is None:
        return False
    turns.filter(pk=turn.pk).unfinished().update(cancel_requested_at=timezone.now())
    turns.filter(pk=turn.pk, status=Turn.Status.WAITING).update(status=Turn.Status.QUEUED)
    engine.nudge(conversation.pk)
    return True


@transaction.atomic
def withdraw(owner: User, conversation_id: UUID, client_id: str) -> None:
    """Take back a send that is still queued. Raises `NotAllowed` when it is not."""
    conversation = locked(owner, conversation_id)
    turn = (
        Turn.objects.queued()
        .select_related("message__parent")
        .filter(conversation=conversation, client_id=client_id)
        .first()
    )
    taken_back = turn is not None and Turn.objects.filter(
        pk=turn.pk, status=Turn.Status.QUEUED, started_at=None
    ).update(status=Turn.Status.CANCELLED, ended_at=timezone.now())
    if turn is None or turn.message.parent is None or not taken_back:
        raise NotAllowed("This message is not waiting any more.")
    answer, question = turn.message, turn.message.parent
    Message.objects.filter(pk__in=[answer.pk, question.pk]).update(withdrawn=True)
    search.forget([answer.pk, question.pk])
    Message.objects.filter(parent=answer).update(parent=question.parent_id)
    if conversation.leaf_id == answer.pk:
        conversation.leaf_id = question.parent_id
        conversation.save(update_fields=["leaf"])
    publish.announce(
        conversation.owner_id,
        Done(message_id=str(answer.pk), status="cancelled", client_id=client_id),
        conversation_id=conversation.pk,
    )
