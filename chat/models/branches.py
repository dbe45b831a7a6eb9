"""The current branch of a conversation: the chain of messages from its leaf to its beginning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from orjson import loads

from chat.db import sql
from chat.models import Message

_BRANCH = """
WITH RECURSIVE branch(id, parent_id, depth) AS (
    SELECT id, parent_id, 1 FROM chat_message WHERE id = %s
    UNION ALL
    SELECT m.id, m.parent_id, depth + 1
    FROM chat_message m JOIN branch ON m.id = branch.parent_id
    WHERE depth < %s
)
SELECT {} FROM chat_message m JOIN branch USING (id) ORDER BY depth DESC
"""
_BEGINNINGS = _BRANCH.format(
    "m.id, m.conversation_id, m.owner_id, m.parent_id, m.role, m.client_id, m.withdrawn, m.created_at,"
    " substr(m.content, 1, %s) AS content, substr(m.reasoning, 1, %s) AS reasoning"
)
_IDS = _BRANCH.format("m.id")
_LINES = _BRANCH.format(
    "m.id, m.role, m.content,"
    " NOT (EXISTS (SELECT 1 FROM chat_toolcall WHERE message_id = m.id)"
    " OR EXISTS (SELECT 1 FROM chat_opaquepart WHERE message_id = m.id)) AS is_plain"
)
# In one row: SQLite's driver releases the interpreter lock at every row, and waits to get it back. It
# keeps a subquery's order for every aggregate but count, min and max.
_LINES_AT_ONCE = f"SELECT json_group_array(json_array(id, role, content, is_plain)) FROM ({_LINES})"  # noqa: S608
_ALL = 1_000_000
NEIGHBOURS = 20
"""Versions named on either side of a message: an import can bring thousands."""


class Line(NamedTuple):
    """A message as a model reads it: for a long history, a tenth of the cost of `Message`."""

    pk: UUID
    role: str
    content: str
    is_plain: bool
    """It has neither calls nor opaque parts."""


def lines(leaf_id: UUID, *, last: int = _ALL) -> list[Line]:
    """Return the last messages of the branch that ends at a message, oldest first."""
    if connection.vendor == "sqlite":
        ((at_once,),) = sql.select(_LINES_AT_ONCE, leaf_id, last)
        rows = loads(at_once)
    else:
        rows = sql.select(_LINES, leaf_id, last)
    return [Line(UUID(str(key)), role, text, bool(plain)) for key, role, text, plain in rows]


def ids(leaf_id: UUID | None, *, last: int = _ALL) -> list[UUID]:
    """Return the ids of the last messages of the branch that ends at a message, oldest first."""
    if leaf_id is None or last <= 0:
        return []
    rows = sql.select(_IDS, Message._meta.pk.get_db_prep_value(leaf_id, connection), last)
    return [UUID(str(key)) for (key,) in rows]


def beginnings(leaf_id: UUID | None, *, last: int = _ALL, most: int) -> list[Message]:
    """Return the same messages as rows with at most `most` code points of each text. Never save them."""
    if leaf_id is None or last <= 0:
        return []
    key = Message._meta.pk.get_db_prep_value(leaf_id, connection)
    return list(Message.objects.raw(_BEGINNINGS, [key, last, most, most]))


def latest_leaf(message: Message) -> UUID:
    """Return the end of the latest branch that holds a message."""
    said = Message.objects.filter(conversation=message.conversation_id, withdrawn=False)
    # in order, so that the last child seen is the latest
    rows = said.exclude(parent=None).order_by("created_at", "id").values_list("parent_id", "id")
    latest_child = dict(rows)
    leaf = message.pk
    while leaf in latest_child:
        leaf = latest_child[leaf]
    return leaf


@dataclass(frozen=True, slots=True)
class Versions:
    """A message's place among its versions."""

    ids: tuple[str, ...]
    """The message and its neighbours, oldest first: at most `NEIGHBOURS` on either side."""
    number: int
    """Ordinal, from 1."""
    count: int


def siblings(messages: Iterable[Message]) -> dict[UUID, Versions]:
    """Return the versions of each message."""
    messages = list(messages)
    if not messages:
        return {}
    versions = Message.objects.filter(
        conversation_id=messages[0].conversation_id, withdrawn=False
    ).order_by("created_at", "id")
    parents = {message.parent_id for message in messages}
    if None in parents:
        rows = list(versions.filter(parent=None).values_list("parent_id", "role", "id"))
    else:
        rows = []
    rows += versions.filter(parent__in=parents - {None}).values_list("parent_id", "role", "id")
    groups: defaultdict[tuple[UUID | None, str], list[UUID]] = defaultdict(list)
    for parent_id, role, message_id in rows:
        groups[parent_id, role].append(message_id)
    return {m.pk: _around(groups[m.parent_id, m.role], m.pk) for m in messages}


def _around(group: list[UUID], message_id: UUID) -> Versions:
    if message_id not in group:  # it was withdrawn
        return Versions((), 1, 1)
    at = group.index(message_id)
    near = group[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]
    return Versions(tuple(map(str, near)), at + 1, len(group))
