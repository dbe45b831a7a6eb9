"""A conversation that is here got what it has more in a file."""

from __future__ import annotations

from django.contrib.auth.models import User

from chat import publish
from chat.db import sql
from chat.models import Conversation, Message
from chat.protocol import BranchChanged, BranchData
from chat.services.base import locked
from chat.transfer.archive.format import ArchivedConversation
from chat.turns import titles


def join(owner: User, aside: Conversation, whole: ArchivedConversation) -> None:
    """All new messages are in a conversation of their own: make them this one's, and show them.

    Raises `SessionNotFound`: it was deleted meanwhile.
    """
    locked(owner, whole.id)
    for table in ("message", "turn", "searchentry"):
        move = f"UPDATE chat_{table} SET conversation_id = %s WHERE conversation_id = %s"  # noqa: S608
        sql.change(move, whole.id, aside.pk)
    sql.change("DELETE FROM chat_conversation WHERE id = %s", aside.pk)
    show(owner, whole)


def show(owner: User, whole: ArchivedConversation) -> None:
    """All of it is here: bring the new messages onto the current branch. Raises `SessionNotFound`."""
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
