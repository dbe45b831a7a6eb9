"""The index of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from chat.models.conversations import Conversation, Message

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class Words(models.TextField):  # type: ignore[type-arg]  # no subscript at run time
    """A text's words, as `search/` writes them: a tsvector on PostgreSQL, else separated by spaces."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class SearchEntry(models.Model):
    """The words of a finished message, or of a conversation's title.

    `search/` writes and reads it by hand. On SQLite triggers copy its words to the FTS5 table
    `chat_searchwords`: a migration that changes this table recreates it there, and has to recreate
    the triggers.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, null=True)
    """NULL: the conversation's title."""
    said_at = models.DateTimeField()
    words = Words()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(message__isnull=True),
                name="search_entry_one_title",
            )
        ]

    def __str__(self) -> str:
        return f"Words of {self.message_id or 'a title'}"
