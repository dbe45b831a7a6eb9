"""Shared by send, edit, regenerate and continue: asking for an answer, and queueing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import publish, search
from chat.db import sql
from chat.errors import MessageTooLong, RateLimited
from chat.models import OPENING_WORDS, Conversation, Message, Turn, shown
from chat.protocol import MAX_TEXT, MessageCreated, MessageCreatedData
from chat.search.words import words
from chat.services import hidden
from chat.turns import engine

MAX_CONTEXT = 1_000_000


@dataclass(frozen=True)
class Ask:
    """How an answer is asked for."""

    model: str = ""
    """Empty: the conversation's own, else the default."""
    context: int | None = None
    """How many stored messages before the question the model is given; None: all."""
    client_id: str | None = None
    """The client's name for this send or edit: sent again, it stores nothing."""

    def resolve(self, conversation: Conversation, default_model: str) -> Ask:
        """Fill in the model: the chosen one, the conversation's own or the default."""
        return replace(self, model=self.model or conversation.model or default_model)


NOTHING_CHOSEN = Ask()


@dataclass(frozen=True)
class Sent:
    """A stored send or edit: the question, and the turn that answers it."""

    conversation_id: UUID
    question: Message
    turn: Turn
    is_new: bool
    """False: this `client_id` had been sent before, and nothing was stored."""


def store_once(owner: User, client_id: str | None, store: Callable[[], Sent]) -> Sent:
    """Call `store` in a transaction, unless the owner has sent this `client_id` before.

    If so, return the rows of the first send.
    """
    try:
        with transaction.atomic():
            return find_sent(owner, client_id) or store()
    except IntegrityError:
        # another process stored the same client_id at the same moment
        if sent := find_sent(owner, client_id):
            return sent
        if hidden.is_freed(owner.pk, client_id):
            return store_once(owner, client_id, store)
        raise


def find_sent(owner: User, client_id: str | None) -> Sent | None:
    """The first send or edit with this `client_id`, if any."""
    if client_id is None:
        return None
    turns = shown(Turn.objects.select_related("message__parent"))
    turn = turns.filter(message__owner=owner, client_id=client_id).first()
    if turn is None or turn.message.parent is None:
        return None
    return Sent(turn.conversation_id, turn.message.parent, turn, is_new=False)


def check_length(text: str) -> None:
    """Raise `MessageTooLong` for a text beyond the limit."""
    if len(text) > MAX_TEXT:
        raise MessageTooLong(
            f"A message has at most {MAX_TEXT:,} characters; this one has {len(text):,}."
        )


def check_rate(owner: User) -> None:
    """Raise `RateLimited` if the owner has asked for too many answers in the last minute."""
    limit: int | None = settings.TALOS_SENDS_PER_MINUTE
    if limit is None:
        return
    now = timezone.now()  # later messages are from before the clock was set back
    minute = (now - timedelta(minutes=1), now)
    # each send, edit, regenerate and continue begins an answer
    recent = Message.objects.filter(
        owner=owner, created_at__range=minute, role=Message.Role.ASSISTANT
    )
    if recent.count() >= limit:
        raise RateLimited(f"At most {limit} messages a minute. Please wait a moment.")


_GROW = """
UPDATE chat_conversation SET title = %s, leaf_id = %s, updated_at = %s, archived = %s WHERE id = %s
"""


def add_question(conversation: Conversation, parent_id: UUID | None, text: str, ask: Ask) -> Sent:
    """Store a question after a message, tell every tab, and queue its answer."""
    question = Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=parent_id,
        role=Message.Role.USER,
        content=text,
        client_id=ask.client_id,
    )
    sql.insert(question)
    search.index_message(
        question.pk, words(text), conversation_id=conversation.pk, owner_id=conversation.owner_id
    )
    if conversation.leaf_id is None and not conversation.title:
        # not indexed: these words are the message's
        conversation.title = opening_words(text)
    publish.announce(
        conversation.owner_id, message_created(question), conversation_id=conversation.pk
    )
    turn = queue_answer(question, conversation, ask)
    return Sent(conversation.pk, question, turn, is_new=True)


def queue_answer(after: Message, conversation: Conversation, ask: Ask) -> Turn:
    """Store an empty answer after a message, now the end of the branch, and queue its turn."""
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
        context=None if ask.context is None else min(ask.context, MAX_CONTEXT),
        model=ask.model,
        client_id=ask.client_id,
    )
    sql.insert(turn)
    conversation.leaf, conversation.updated_at, conversation.archived = answer, now, False
    sql.change(_GROW, conversation.title, answer.pk, now, False, conversation.pk)
    engine.nudge(conversation.pk)
    return turn


def opening_words(text: str) -> str:
    """The first words of a message, on one line: a title until there is a better one."""
    line = " ".join(text.split())
    return line if len(line) <= OPENING_WORDS else line[: OPENING_WORDS - 1].rstrip() + "…"


def message_created(question: Message) -> MessageCreated:
    """The frame that announces a stored user message."""
    return MessageCreated(
        data=MessageCreatedData(
            message_id=str(question.pk), content=question.content, client_id=question.client_id
        )
    )
