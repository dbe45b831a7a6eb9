"""A conversation changes hands."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chat import publish
from chat.errors import NotAllowed
from chat.models import Conversation, Notice, ToolRule, Turn
from chat.protocol import ConversationDeleted, ConversationDeletedData
from chat.services import hidden
from chat.services.base import locked


@transaction.atomic
def reassign(owner: User, conversation_id: UUID, *, to: User) -> None:
    """Make a conversation somebody else's, with all that was said in it.

    To the old owner's pages it is deleted. Of a large one the new owner hears when it is all
    theirs. What the old owner allowed tools to do is not passed on, nor are the ids of their sends:
    the new owner's may be the same. Raises `NotAllowed` while an answer is being written, or waits
    to be: it runs with what its owner may reach.
    """
    conversation = locked(owner, conversation_id)
    if owner == to:
        raise NotAllowed(f"It belongs to {to} already.")
    if Turn.objects.filter(conversation=conversation).unfinished().exists():
        raise NotAllowed("An answer is being written in it, or waits to be. Stop it first.")
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
