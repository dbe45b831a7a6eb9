"""Changes to whole conversations, and an owner's preferences."""

from __future__ import annotations

from typing import TypedDict, Unpack
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chat import publish
from chat.db import sql
from chat.errors import NotAllowed
from chat.models import (
    MAX_MODEL,
    Conversation,
    Message,
    ModelPreference,
    Piece,
    Preference,
    ToolCall,
    Turn,
)
from chat.protocol import (
    ConversationChanged,
    ConversationChangedData,
    ConversationDeleted,
    ConversationDeletedData,
)
from chat.services import hidden
from chat.services.base import check_prompt, lock_conversation
from chat.turns import engine, titles
from chat.turns.ends import done

MAX_TITLE = 200
MAX_TEMPERATURE = 2
MAX_OUTPUT_TOKENS = 1_000_000


@transaction.atomic
def begin(owner: User, *, conversation_id: UUID, model: str) -> Conversation:
    """Create a conversation, still without a message: lists do not show it."""
    return Conversation.objects.create(id=conversation_id, owner=owner, model=model)


class Settings(TypedDict, total=False):
    """Fields that `configure` may change. `""` and None reset to the default."""

    model: str
    instructions: str
    temperature: float | None
    max_output_tokens: int | None
    offers_tools: bool


@transaction.atomic
def configure(owner: User, conversation_id: UUID, **changes: Unpack[Settings]) -> Conversation:
    """Change a conversation's model settings. Raises `MessageTooLong` and `NotAllowed`."""
    conversation = lock_conversation(owner, conversation_id)
    check_prompt(changes.get("instructions", ""))
    temperature, limit = changes.get("temperature"), changes.get("max_output_tokens")
    if temperature is not None and not 0 <= temperature <= MAX_TEMPERATURE:
        raise NotAllowed(f"The temperature is a number from 0 to {MAX_TEMPERATURE}.")
    if limit is not None and not 1 <= limit <= MAX_OUTPUT_TOKENS:
        raise NotAllowed(f"The output limit is a number from 1 to {MAX_OUTPUT_TOKENS:,} tokens.")
    for name, value in changes.items():
        setattr(conversation, name, value)
    conversation.save(update_fields=list(changes))
    return conversation


@transaction.atomic
def prefer(owner: User, *, system_prompt: str) -> None:
    """Set the owner's system prompt; empty: reset to the configured one."""
    check_prompt(system_prompt)
    Preference.objects.update_or_create(owner=owner, defaults={"system_prompt": system_prompt})


@transaction.atomic
def prefer_for_model(owner: User, model: str, *, offers_tools: bool) -> None:
    """Set whether a model may call tools, in all of the owner's conversations. Raises `NotAllowed`."""
    if not 1 <= len(model) <= MAX_MODEL:
        raise NotAllowed(f"A model's name has 1 to {MAX_MODEL} characters.")
    ModelPreference.objects.update_or_create(
        owner=owner, model=model, defaults={"offers_tools": offers_tools}
    )


@transaction.atomic
def entitle(owner: User, conversation_id: UUID, title: str) -> None:
    """Give a conversation a person's title, which no model overwrites."""
    conversation = lock_conversation(owner, conversation_id)
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE:
        raise NotAllowed(f"A title has 1 to {MAX_TITLE} characters.")
    titles.set_title(conversation, title, Conversation.TitledBy.PERSON)


@transaction.atomic
def pin(owner: User, conversation_id: UUID, *, pinned: bool) -> None:
    """Keep a conversation at the top of the list, or stop doing so."""
    _mark(owner, conversation_id, pinned=pinned)


@transaction.atomic
def archive(owner: User, conversation_id: UUID, *, archived: bool) -> None:
    """Hide a conversation from the lists, or show it again. Nothing is lost."""
    _mark(owner, conversation_id, archived=archived)


@transaction.atomic
def mark_read(owner: User, conversation_id: UUID) -> None:
    """Mark a conversation's answers as seen. Raises `SessionNotFound`."""
    _mark(owner, conversation_id, unread=False)


def _mark(owner: User, conversation_id: UUID, **changes: bool) -> None:
    conversation = lock_conversation(owner, conversation_id)
    if any(getattr(conversation, name) != value for name, value in changes.items()):
        Conversation.objects.filter(pk=conversation_id).update(**changes)
        publish.announce(
            conversation.owner_id,
            ConversationChanged(data=ConversationChangedData(session_id=str(conversation.pk))),
        )


@transaction.atomic
def delete(owner: User, conversation_id: UUID) -> None:
    """Delete a conversation with everything in it. A live turn loses its row, and stops."""
    conversation = lock_conversation(owner, conversation_id)
    remove(conversation)


def remove(conversation: Conversation) -> int:
    """Delete a conversation's rows. Returns how many messages there were.

    A large conversation is only hidden and its live turn ended: the rest follows in steps.
    """
    conversation_id = conversation.pk
    # Locked before their rows: a journal that has locked one needs its pieces and calls, too.
    turns = Turn.objects.select_for_update().filter(conversation=conversation)
    unanswered = list(turns.unfinished().order_by("pk"))
    number = Message.objects.filter(conversation=conversation).count()
    _hide(conversation_id, [turn.message_id for turn in unanswered])
    hidden.at_once(conversation_id)
    ends = [done(turn, "cancelled") for turn in unanswered]
    publish.announce(conversation.owner_id, *ends, conversation_id=conversation_id)
    publish.announce(
        conversation.owner_id,
        ConversationDeleted(data=ConversationDeletedData(session_id=str(conversation_id))),
        gone=conversation_id,
    )
    engine.nudge(conversation_id)
    return number


def _hide(conversation_id: UUID, unanswered: list[UUID]) -> None:
    """Hide a conversation from everybody, and delete its unfinished turns."""
    turns = Turn.objects.filter(message__in=unanswered)
    Piece.objects.filter(turn__in=turns)._raw_delete("default")
    ToolCall.objects.filter(message__in=unanswered, status__in=ToolCall.OPEN)._raw_delete("default")
    turns._raw_delete("default")
    sql.change("DELETE FROM chat_notice WHERE conversation_id = %s", conversation_id)
    leaving = "UPDATE chat_conversation SET hidden = 'leaving', leaf_id = NULL WHERE id = %s"
    sql.change(leaving, conversation_id)
