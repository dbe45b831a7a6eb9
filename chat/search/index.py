"""Writes the index, in the same transactions as the texts.

The SQL is hand-written: every message writes an entry, and Django takes as long to build a statement
as the database takes to run it. An answer gets its entry when it is finished. A foreign key makes
sure that entries are deleted with their messages: otherwise the commit fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from chat.db import sql
from chat.models import Conversation, Message, SearchEntry
from chat.search.words import words

STEP_PAGES = 64
"""Pages of 4 KB: about 20 ms of merging."""
TITLE = "\ue000"
"""A word in every title's entry and in no text: a private character is not part of words."""
_INSERT = """
INSERT INTO chat_searchentry (owner_id, conversation_id, message_id, said_at, words)
VALUES (%s, %s, %s, %s, {words})
ON CONFLICT {conflict} DO UPDATE SET words = excluded.words
"""
# The same text twice is not an error: the journal retries commits that may have failed.
_OF_MESSAGE = "(message_id)"
_OF_TITLE = "(conversation_id) WHERE message_id IS NULL"


def index_message(
    message_id: UUID, found: Sequence[str], *, conversation_id: UUID, owner_id: int
) -> None:
    """Index a message that was just finished, by its words."""
    if found:
        row = (owner_id, conversation_id, message_id, timezone.now(), found)
        sql.change(_statement(_OF_MESSAGE), *_row(row))


def index_messages(messages: Iterable[Message]) -> None:
    """Index finished messages, in their order."""
    rows = [
        (message.owner_id, message.conversation_id, message.pk, message.created_at, found)
        for message in messages
        if not message.withdrawn and (found := words(message.content))
    ]
    if rows:
        _insert(_OF_MESSAGE, rows)


def index_title(conversation: Conversation, title: str) -> None:
    """Index a conversation's title, in place of an earlier one."""
    row = (conversation.owner_id, conversation.pk, None, timezone.now(), [*words(title), TITLE])
    _insert(_OF_TITLE, [row])


def forget(message_ids: Iterable[UUID]) -> None:
    """Remove cancelled messages from the index."""
    SearchEntry.objects.filter(message__in=list(message_ids)).delete()


def compact(*, is_first: bool) -> bool:
    """Run one step of cleaning deleted words out of the word index. False: it is clean.

    FTS5 only notes that an entry is gone, and drops its words when it merges. Each step is short,
    for the writer has other work. PostgreSQL's vacuum does this by itself.
    """
    if connection.vendor != "sqlite":
        return False
    with connection.cursor() as cursor:
        before = connection.connection.total_changes
        # negative: begin a merge of everything, which later steps continue
        pages = -STEP_PAGES if is_first else STEP_PAGES
        cursor.execute(
            "INSERT INTO chat_searchwords (chat_searchwords, rank) VALUES ('merge', %s)", [pages]
        )
        # one change is the statement itself
        return bool(connection.connection.total_changes - before > 1)


def _insert(conflict: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_statement(conflict), list(map(_row, rows)))


@cache
def _statement(conflict: str) -> str:
    value = "array_to_tsvector(%s::text[])" if connection.vendor == "postgresql" else "%s"
    return _INSERT.format(words=value, conflict=conflict)


def _row(row: tuple[Any, ...]) -> Sequence[Any]:
    owner_id, conversation_id, message_id, said_at, found = row
    if connection.vendor == "postgresql":
        return row
    key = None if message_id is None else message_id.hex
    time = connection.ops.adapt_datetimefield_value(said_at)
    return owner_id, conversation_id.hex, key, time, " ".join(found)
