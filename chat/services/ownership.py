"""Transfers a conversation to another owner."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chat import publish
from chat.errors import NotAllowed
from chat.models import Conversation, Notice, ToolRule, Turn
from chat.protocol import ConversationDeleted, ConversationDeletedData
from chat.services import hidden
from chat.services.base import lock_conversation


@transaction.atomic
def reassign(owner: User, conversation_id: UUID, *, to: User) -> None:
    """Give a conversation, with all its messages, to another owner.

    On the old owner's pages it is deleted. The new owner hears of a large one when all of it is
    theirs. The old owner's rules are not passed on, nor are the ids of their sends: the new owner
    may have the same ids. Raises `NotAllowed` while an answer is being written or queued: it runs
    with its owner's rights.
    """
    conversation = lock_conversation(owner, conversation_id)
    if owner == to:
        raise NotAllowed(f"It already belongs to {to}.")
    if Turn.objects.filter(conversation=conversation).unfinished().exists():
        raise NotAllowed("An answer is being written or queued in it. Stop it first.")
    Notice.objects.filter(conversation_id=conversation.pk).delete()
    ToolRule.objects.filter(conversation=conversation).delete()
    moving = Conversation.Hidden.MOVING
    Conversation.objects.filter(pk=conversation.pk).update(owner=to, unread=True, hidden=moving)
    session_id = str(conversation.pk)
    publish.announce(
        owner.pk,
        ConversationDeleted(data=ConversationDeletedData(session_id=session_id)),
        gone=conversation.pk,
    )
    hidden.at_once(conversation.pk)
