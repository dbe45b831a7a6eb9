"""A conversation that is here gets what it has more in a file, in short steps.

On no current branch until the last one; whoever is cut off adds the rest the next time.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction

from chat import publish
from chat.models import Conversation, Message
from chat.protocol import BranchChanged, BranchData
from chat.services.base import locked
from chat.transfer.format import ArchivedConversation
from chat.transfer.merging import parents_first
from chat.turns import titles

BATCH = 50
"""Messages that are added at once."""
Insert = Callable[[Conversation, ArchivedConversation], None]
"""Adds a conversation's messages to the one that is here."""


def grow(
    owner: User, whole: ArchivedConversation, new: ArchivedConversation, insert: Insert
) -> None:
    """Add the messages of `new`, with which it is `whole`. Raises `SessionNotFound`."""
    ordered = list(parents_first(new.messages))
    for at in range(0, len(ordered), BATCH):
        some = new.model_copy(update={"messages": tuple(ordered[at : at + BATCH])})
        with transaction.atomic():
            insert(locked(owner, whole.id), some)
    _show(owner, whole)


@transaction.atomic
def _show(owner: User, whole: ArchivedConversation) -> None:
    conversation = locked(owner, whole.id)
    if Message.objects.filter(conversation=conversation).count() == len(whole.messages):
        conversation.leaf_id = whole.leaf  # else somebody is going on with it right now
    conversation.updated_at = max(conversation.updated_at, whole.updated_at)
    conversation.save(update_fields=["leaf", "updated_at"])
    by = Conversation.TitledBy(whole.titled_by)
    if conversation.title != whole.title and conversation.titled_by != by.PERSON:
        titles.set_title(conversation, whole.title, by)
    branch = BranchChanged(data=BranchData(message_id=str(conversation.leaf_id)))
    publish.announce(owner.pk, branch, conversation_id=conversation.pk)
