"""Indexed conversations, and the texts that a query finds."""

from __future__ import annotations

from django.contrib.auth.models import User

from chat.models import Conversation, Message
from chat.search import index_messages, index_title, search
from tests.support.conversations import talk


def said(owner: User, *texts: str, title: str = "Some chat") -> Conversation:
    """Make an indexed conversation, as an import does."""
    conversation = talk(owner, *texts, title=title)
    messages = Message.objects.filter(conversation=conversation).order_by("created_at")
    index_messages(messages)
    index_title(conversation, title)
    return conversation


def found(owner: User, query: str) -> set[str]:
    """Return the texts of the messages that a query finds."""
    hits = search(owner.pk, query, limit=100)
    return set(
        Message.objects.filter(pk__in=[h.message_id for h in hits]).values_list(
            "content", flat=True
        )
    )
