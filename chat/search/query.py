"""Queries: any text is a valid query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models.functions import Coalesce

from chat.models import HIDDEN, Conversation, Message
from chat.search.excerpts import Marked, excerpt, mark
from chat.search.index import TITLE
from chat.search.words import MAX_WORD, is_unspaced, runs

LATEST = 3000
"""Messages that a query considers, the latest ones: more frequent words find too much."""
LATEST_TITLES = 500
MAX_WORDS = 32
MAX_QUERY = 2000
"""Code points of a query that count."""

_SHOWN = f"conversation_id NOT IN ({HIDDEN})"
# CROSS: in the other order SQLite would query the word index once per entry.
_FOUND = {
    "sqlite": """
        FROM chat_searchwords CROSS JOIN chat_searchentry entry ON entry.id = chat_searchwords.rowid
        WHERE chat_searchwords MATCH %s AND entry."""
    + _SHOWN,
    "postgresql": "FROM chat_searchentry entry WHERE words @@ %s::tsquery AND entry." + _SHOWN,
}
_ID = {"sqlite": "chat_searchwords.rowid", "postgresql": "entry.id"}
_LATEST = {
    vendor: f"""
        SELECT entry.conversation_id, entry.message_id, entry.said_at {found}
        AND entry.owner_id = %s AND (entry.message_id IS NULL) = %s
        ORDER BY {_ID[vendor]} DESC LIMIT %s
    """
    for vendor, found in _FOUND.items()
}


@dataclass(frozen=True)
class Hit:
    """A message with all words of a query, or the first message of a chat whose title has them."""

    conversation_id: UUID
    title: Marked
    is_archived: bool
    message_id: UUID
    role: str
    excerpt: Marked
    said_at: datetime


def search(
    owner_id: int,
    query: str,
    *,
    limit: int = 10,
    offset: int = 0,
    by_conversation: bool = False,
) -> list[Hit]:
    """Find all words of a query in an owner's conversations: titles first, then the latest messages.

    With `by_conversation` each conversation occurs once, with the latest of its messages.
    """
    sought = _split(query)
    if not sought:
        return []
    by_title = _latest(owner_id, _expression(sought, TITLE), titles=True)
    by_text = _latest(owner_id, _expression(sought), titles=False)
    places = _in_order(by_title, by_text, by_conversation=by_conversation)
    return _hits(places[offset : offset + limit], sought)


def matching(query: str) -> tuple[str, list[str]]:
    """Return SQL for the ids of matching entries of all owners, with its parameters.

    For lists with an order of their own: `SearchEntry.objects.filter(pk__in=RawSQL(*matching(q)))`.
    """
    sought = _split(query)
    if not sought:
        return "SELECT 0", []
    return f"SELECT entry.id {_FOUND[connection.vendor]}", [_expression(sought)]


def _split(query: str) -> list[str]:
    return list(dict.fromkeys(runs(query[:MAX_QUERY])))[:MAX_WORDS]


def _expression(sought: Sequence[str], *marks: str) -> str:
    """Write a query in the database's syntax. Words have none of its operators: see `words.py`."""
    found = [*_words(sought), *((mark, False) for mark in marks)]
    if connection.vendor == "postgresql":
        return " & ".join(f"'{word}'{':*' if begins else ''}" for word, begins in found)
    return " AND ".join(f'"{word}"{"*" if begins else ""}' for word, begins in found)


def _words(sought: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the words to look up, and whether longer words match too."""
    for run in sought:
        if not is_unspaced(run):
            # A single letter begins half of all words, so it matches longer ones only while one types.
            yield run[:MAX_WORD], len(run) > 1 or run == sought[-1]
        elif len(run) == 1:
            yield run, True
        else:
            yield from ((run[at : at + 2], False) for at in range(len(run) - 1))


class _Entry(NamedTuple):
    """An entry of the index. Keys are as the database has them."""

    conversation: Any
    message: Any
    said_at: Any


def _latest(owner_id: int, expression: str, *, titles: bool) -> list[_Entry]:
    limit = LATEST_TITLES if titles else LATEST
    with connection.cursor() as cursor:
        cursor.execute(_LATEST[connection.vendor], [expression, owner_id, titles, limit])
        return [_Entry(*row) for row in cursor.fetchall()]


Place = tuple[Any, Any]
"""A conversation and a message of it; None: its first."""


def _in_order(
    by_title: Sequence[_Entry], by_text: Sequence[_Entry], *, by_conversation: bool
) -> list[Place]:
    by_text = sorted(by_text, key=lambda entry: entry.said_at, reverse=True)
    latest: dict[Any, Any] = {}
    for entry in by_text:
        latest.setdefault(entry.conversation, entry.message)
    places: dict[Place, None] = {
        (conversation, latest.get(conversation)): None
        for conversation in _by_time(entry.conversation for entry in by_title)
    }
    found = latest.items() if by_conversation else ((e.conversation, e.message) for e in by_text)
    return list(places | dict.fromkeys(found))


def _by_time(keys: Iterable[Any]) -> Iterable[Any]:
    known = {UUID(str(key)): key for key in keys}
    found = Conversation.objects.filter(pk__in=known).order_by("-updated_at", "-pk")
    return [known[pk] for pk in found.values_list("pk", flat=True)]


def _hits(places: Sequence[Place], sought: Sequence[str]) -> list[Hit]:
    conversations = Conversation.objects.in_bulk([UUID(str(key)) for key, _ in places])
    messages = Message.objects.in_bulk([UUID(str(key)) for _, key in places if key])
    without = [UUID(str(conversation)) for conversation, key in places if not key]
    first = {m.conversation_id: m for m in _first_messages(without)}
    hits = []
    for conversation_key, key in places:
        conversation = conversations.get(UUID(str(conversation_key)))
        message = messages.get(UUID(str(key))) if key else first.get(UUID(str(conversation_key)))
        if conversation and message:  # otherwise it was deleted between two queries
            hits.append(_hit(conversation, message, sought))
    return hits


def _first_messages(conversation_ids: Sequence[UUID]) -> Iterable[Message]:
    """Return the latest version of each conversation's first message."""
    said = Message.objects.filter(conversation__in=conversation_ids, withdrawn=False)
    # not `parent=None`: SQLite would scan the first messages of all conversations
    first = said.filter(pk=Coalesce("parent", "pk"))
    return first.order_by("created_at") if conversation_ids else ()


def _hit(conversation: Conversation, message: Message, sought: Sequence[str]) -> Hit:
    return Hit(
        conversation_id=conversation.pk,
        title=mark(str(conversation), sought),
        is_archived=conversation.archived,
        message_id=message.pk,
        role=message.role,
        excerpt=excerpt(message.content, sought),
        said_at=message.created_at,
    )
