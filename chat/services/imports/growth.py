"""Adding a file's new messages to a conversation that exists already."""

from __future__ import annotations

from django.contrib.auth.models import User

from chat import publish
from chat.db import sql
from chat.models import Conversation, Message
from chat.protocol import BranchChanged, BranchData
from chat.services.base import lock_conversation
from chat.services.dependents import cascading_keys
from chat.transfer.archive.format import ArchivedConversation
from chat.turns import titles


def join(owner: User, aside: Conversation, whole: ArchivedConversation) -> None:
    """Move the new messages, stored in the conversation `aside`, into the existing one; show them.

    Raises `SessionNotFound` if it was deleted meanwhile.
    """
    lock_conversation(owner, whole.id)
    for key in cascading_keys(Conversation):
        table, column = key.model._meta.db_table, key.column
        move = f"UPDATE {table} SET {column} = %s WHERE {column} = %s"  # noqa: S608  # our own names
        sql.change(move, whole.id, aside.pk)
    sql.change("DELETE FROM chat_conversation WHERE id = %s", aside.pk)
    show(owner, whole)


def show(owner: User, whole: ArchivedConversation) -> None:
    """Bring the new messages onto the current branch. Raises `SessionNotFound`."""
    conversation = lock_conversation(owner, whole.id)
    if Message.objects.filter(conversation=conversation).count() == len(whole.messages):
        conversation.leaf_id = whole.leaf  # else someone continues it at this moment
    conversation.updated_at = max(conversation.updated_at, whole.updated_at)
    conversation.save(update_fields=["leaf", "updated_at"])
    by = Conversation.TitledBy(whole.titled_by)
    if conversation.title != whole.title and conversation.titled_by != by.PERSON:
        titles.set_title(conversation, whole.title, by)
    branch = BranchChanged(data=BranchData(message_id=str(conversation.leaf_id)))
    publish.announce(owner.pk, branch, conversation_id=conversation.pk)
