"""Everything that a person does with messages. A send, an edit, a regenerate and a continue each
store an answer and its turn; `asking.py` has what they share."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chat import publish, search
from chat.db import sql
from chat.errors import NotAllowed, RateLimited
from chat.models import Conversation, Message, Turn
from chat.models.branches import ids, latest_leaf
from chat.protocol import MAX_QUEUED, BranchChanged, BranchData
from chat.services.asking import (
    NOTHING_CHOSEN,
    Ask,
    Sent,
    add_question,
    check_length,
    check_rate,
    queue_answer,
    store_once,
)
from chat.services.base import lock_conversation
from chat.services.conversations import begin
from chat.turns import engine
from chat.turns.ends import done


def say(
    owner: User,
    *,
    conversation_id: UUID,
    text: str,
    default_model: str,
    ask: Ask = NOTHING_CHOSEN,
    begins: bool = False,
) -> Sent:
    """Store a message and queue its answer.

    With `begins` the conversation is made first, and keeps the model of `ask`. A `client_id` that
    the owner has sent before stores nothing: the rows of the first send are returned. Raises
    `MessageTooLong`, `RateLimited` and `SessionNotFound`.
    """
    check_length(text)

    def store() -> Sent:
        check_rate(owner)
        if begins:
            begin(owner, conversation_id=conversation_id, model=ask.model)
        conversation = lock_conversation(owner, conversation_id)
        _check_queue(conversation)
        whole = ask.resolve(conversation, default_model)
        return add_question(conversation, conversation.leaf_id, text, whole)

    return store_once(owner, ask.client_id, store)


_WAITING = """
SELECT count(*) FROM chat_turn
WHERE conversation_id = %s AND status IN ('queued', 'running', 'waiting')
"""


def _check_queue(conversation: Conversation) -> None:
    ((waiting,),) = sql.select(_WAITING, conversation.pk)
    if waiting > MAX_QUEUED:
        raise RateLimited(
            f"{MAX_QUEUED} messages are waiting already. Please wait until some are answered."
        )


@transaction.atomic
def regenerate(
    owner: User,
    conversation_id: UUID,
    *,
    default_model: str,
    message_id: UUID | str | None = None,
    ask: Ask = NOTHING_CHOSEN,
) -> Turn:
    """Answer the last user message, or the given one, again; the old answer is kept as a sibling.

    `message_id` may also name an answer: its question is then answered. Raises `NotAllowed` while
    an answer is being written or if there is nothing to answer, and `RateLimited`.
    """
    check_rate(owner)
    conversation = _at_rest(owner, conversation_id)
    question = _question(conversation, conversation.leaf_id if message_id is None else message_id)
    turn = queue_answer(question, conversation, ask.resolve(conversation, default_model))
    _announce_branch(conversation)
    return turn


def edit(
    owner: User,
    conversation_id: UUID,
    *,
    message_id: UUID | str,
    text: str,
    default_model: str,
    ask: Ask = NOTHING_CHOSEN,
) -> Sent:
    """Rewrite a user message as a sibling and answer it; the old branch is kept.

    A `client_id` makes a repetition harmless, as in `say`. Raises `MessageTooLong`, `NotAllowed`
    while an answer is being written or for anything but a user message, and `RateLimited`.
    """
    check_length(text)

    def store() -> Sent:
        check_rate(owner)
        conversation = _at_rest(owner, conversation_id)
        edited = _message(conversation, message_id)
        if edited.role != Message.Role.USER:
            raise NotAllowed("Only your own messages can be edited.")
        whole = ask.resolve(conversation, default_model)
        sent = add_question(conversation, edited.parent_id, text, whole)
        _announce_branch(conversation)
        return sent

    return store_once(owner, ask.client_id, store)


@transaction.atomic
def continue_(
    owner: User, conversation_id: UUID, *, default_model: str, ask: Ask = NOTHING_CHOSEN
) -> Turn:
    """Continue the last answer with a new turn after it.

    Raises `NotAllowed` unless that answer was cancelled, interrupted, cut short or failed, and
    `RateLimited`.
    """
    check_rate(owner)
    conversation = _at_rest(owner, conversation_id)
    last = Turn.objects.select_related("message").filter(message=conversation.leaf_id).first()
    if last is None or last.is_whole:
        raise NotAllowed("There is nothing to continue: the last answer is complete.")
    turn = queue_answer(last.message, conversation, ask.resolve(conversation, default_model))
    _announce_branch(conversation)
    return turn


@transaction.atomic
def select(owner: User, conversation_id: UUID, message_id: UUID | str) -> None:
    """Make the branch that holds a message the current one, and tell every tab.

    If the branch forks below the message, the latest fork is taken. Raises `NotAllowed` while an
    answer is being written, and for a message of another conversation.
    """
    conversation = _at_rest(owner, conversation_id)
    message = _message(conversation, message_id)
    if message.pk not in ids(conversation.leaf_id):
        conversation.leaf_id = latest_leaf(message)
        conversation.save(update_fields=["leaf"])
    _announce_branch(conversation)


def _at_rest(owner: User, conversation_id: UUID) -> Conversation:
    """Lock a conversation. Raises `NotAllowed` while an answer is being written or queued."""
    conversation = lock_conversation(owner, conversation_id)
    if Turn.objects.filter(conversation=conversation).unfinished().exists():
        raise NotAllowed("An answer is still being written. Stop it first, or wait until it ends.")
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
    """The given user message, or the one that the given answer belongs to."""
    message: Message | None = _message(conversation, message_id)
    while message is not None and message.role != Message.Role.USER:
        message = message.parent
    if message is None:
        raise NotAllowed("There is no question to answer again.")
    return message


@transaction.atomic
def cancel(owner: User, conversation_id: UUID) -> bool:
    """Ask the live turn to stop, wherever it runs. False: there is none.

    No server holds a turn that waits for a person: it is queued again, and the server that takes
    it ends it at once. The same goes for a first turn that was not yet taken.
    """
    conversation = lock_conversation(owner, conversation_id)
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
    """Cancel a send that is still queued. Raises `NotAllowed` if it no longer is."""
    conversation = lock_conversation(owner, conversation_id)
    turn = (
        Turn.objects.queued()
        .select_related("message__parent")
        .filter(conversation=conversation, client_id=client_id)
        .first()
    )
    is_withdrawn = turn is not None and Turn.objects.filter(
        pk=turn.pk, status=Turn.Status.QUEUED, started_at=None
    ).update(status=Turn.Status.CANCELLED, ended_at=timezone.now())
    if turn is None or turn.message.parent is None or not is_withdrawn:
        raise NotAllowed("This message is no longer waiting.")
    answer, question = turn.message, turn.message.parent
    Message.objects.filter(pk__in=[answer.pk, question.pk]).update(withdrawn=True)
    search.forget([answer.pk, question.pk])
    Message.objects.filter(parent=answer).update(parent=question.parent_id)
    if conversation.leaf_id == answer.pk:
        conversation.leaf_id = question.parent_id
        conversation.save(update_fields=["leaf"])
    publish.announce(
        conversation.owner_id,
        done(turn, "cancelled"),
        conversation_id=conversation.pk,
    )
