"""Conversations that are there for nobody, until the last of their rows is written or gone.

Whoever deletes a large one, or gives it to somebody else, only hides it: that is one short
transaction, and everybody sees it done. The rest follows in steps, by whoever has the time: the
server at each of its looks, or a command that cannot wait. A process that is killed leaves a hidden
one behind, which somebody else goes on with; a half import is cleared away.
"""

# ruff: noqa: S608  # statements are made of names and marks
from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import accumulate
from time import sleep, thread_time
from typing import Any
from uuid import UUID

from django.db import connection

from chat import publish
from chat.db import sql
from chat.db.functions import Bytes
from chat.db.lanes import read, write
from chat.models import HIDDEN, Conversation, Message
from chat.protocol import ConversationChanged, ConversationChangedData
from chat.services.imports import locks
from chat.services.steps import HOLD, SHORTEST_PAUSE, Work, by_size, finish, step

Hidden = Conversation.Hidden
Key = str | UUID
"""Of a message, as the database has it."""
Sized = tuple[Key, int]
"""With the bytes of its texts."""
PARTS = 100
"""Rows of a message's parts that are looked up at once."""
SMALL = 200
"""Messages of a conversation that is deleted, moved or replaced at once."""
LITTLE = 256 * 1024
"""Bytes of their texts."""
_OF_MESSAGES = "message_id IN ({})"
_TABLES = (
    ("piece", f"turn_id IN (SELECT id FROM chat_turn WHERE {_OF_MESSAGES})", ("text",)),
    ("toolcall", _OF_MESSAGES, ("arguments", "edited_arguments", "result")),
    ("opaquepart", _OF_MESSAGES, ("data",)),
    ("keptrender", _OF_MESSAGES, ("html",)),
    ("turn", _OF_MESSAGES, ("error", "error_details", "note")),
    ("searchentry", _OF_MESSAGES, ("words",)),
)
"""What belongs to messages: tables, which of their rows, and what makes these large."""


def found() -> list[tuple[UUID, str]]:
    """The hidden conversations, and why each is."""
    rows = sql.select("SELECT id, hidden FROM chat_conversation WHERE hidden > ''")
    return [(UUID(str(key)), hidden) for key, hidden in rows]


def leaving() -> list[UUID]:
    """What was deleted, and still has rows."""
    return [conversation_id for conversation_id, why in found() if why == Hidden.LEAVING]


def at_once(conversation_id: UUID) -> None:
    """Do what there is to do in the transaction under way, where it is little."""
    if not _is_small(conversation_id):
        return
    used = thread_time()
    for _ in work(conversation_id):
        if thread_time() - used > HOLD:
            return


def _is_small(conversation_id: UUID) -> bool:
    """Reads no more than it takes to see that it is not."""
    sizes = Message.objects.filter(conversation=conversation_id).values_list(
        Bytes("content") + Bytes("reasoning"), flat=True
    )
    totals = enumerate(accumulate(sizes.iterator(chunk_size=10)), start=1)
    return all(number <= SMALL and total <= LITTLE for number, total in totals)


async def sweep() -> None:
    """Finish what is hidden, beside everything else that a server does."""
    for conversation_id, hidden in await read(found):
        if hidden == Hidden.ARRIVING:
            await write(give_up_if_dead, conversation_id)
        rest = await read(work, conversation_id)
        while (pause := await write(step, rest)) is not None:  # noqa: ASYNC110  # nothing to wait for but time
            await asyncio.sleep(pause)


async def tidy() -> None:
    """Once in an hour."""
    await read(locks.tidy)


def finish_all(conversation_ids: Iterable[UUID]) -> None:
    """Finish with these before anything else is done, whoever else is at it."""
    for conversation_id in conversation_ids:
        while why(conversation_id) in (Hidden.LEAVING, Hidden.MOVING):
            finish(work(conversation_id))
            sleep(SHORTEST_PAUSE)  # somebody else may be at it


def work(conversation_id: UUID) -> Work:
    """What is left to do with a conversation. Its messages are looked up outside any step."""
    hidden = why(conversation_id)
    if hidden == Hidden.LEAVING:
        return cleared(conversation_id, _messages(conversation_id))
    if hidden == Hidden.MOVING:
        return moved(conversation_id, _messages(conversation_id))
    return _nothing()


def _nothing() -> Work:
    yield from ()


def why(conversation_id: UUID) -> str:
    """It is hidden; empty: it is not, or not there."""
    rows = sql.select("SELECT hidden FROM chat_conversation WHERE id = %s", conversation_id)
    return str(rows[0][0]) if rows else ""


def give_up_if_dead(conversation_id: UUID) -> None:
    with locks.alone_with(conversation_id) as is_nobodys:
        if is_nobodys:
            give_up(conversation_id)


def give_up(conversation_id: UUID) -> None:
    """What was brought in of a conversation is to be cleared away."""
    half = Conversation.hidden_too.filter(pk=conversation_id, hidden=Hidden.ARRIVING)
    half.update(hidden=Hidden.LEAVING)


def is_freed(owner_id: int, client_id: str | None) -> bool:
    """Take a send's id from a message that is there for nobody. False: none has it."""
    whose = "WHERE owner_id = %s AND client_id = %s AND conversation_id IN"
    free = f"UPDATE chat_message SET client_id = NULL {whose} ({HIDDEN})"
    return bool(client_id and sql.change(free, owner_id, client_id))


def cleared(conversation_id: UUID, messages: Sequence[Sized]) -> Work:
    """Delete the rows of a conversation that is leaving.

    By hand: the ORM's own cascade would load them all, and its statements take four times as long
    as the database needs.
    """
    for part in by_size(messages, _size):
        if not is_held(conversation_id, Hidden.LEAVING):
            return
        some = [key for key, _ in part]
        marks = _marks(some)
        for table, whose, texts in _TABLES:
            yield from _deleted(table, whose.format(marks), some, texts)
        # an answer may be older than what it answers, by somebody's clock
        sql.change(
            f"UPDATE chat_message SET parent_id = NULL WHERE parent_id IN ({marks})"
            f" AND id NOT IN ({marks})",
            *some,
            *some,
        )
        sql.change(f"DELETE FROM chat_message WHERE id IN ({marks})", *some)
        yield
    if is_held(conversation_id, Hidden.LEAVING):
        for table in ("toolrule", "searchentry"):
            yield from _deleted(table, "conversation_id = %s", [conversation_id], ("id",))
        sql.change("DELETE FROM chat_conversation WHERE id = %s", conversation_id)


def _deleted(table: str, whose: str, values: Sequence[Key], texts: Sequence[str]) -> Work:
    """Delete rows, a few at a time: the import of an archive may bring thousands for a message."""
    some = f"SELECT id, {_stored(texts)} FROM chat_{table} WHERE {whose} LIMIT {PARTS}"
    while rows := sql.select(some, *values):
        for part in by_size(rows, _size):
            keys = [key for key, _ in part]
            sql.change(f"DELETE FROM chat_{table} WHERE id IN ({_marks(keys)})", *keys)
            yield
        if len(rows) < PARTS:
            return


def _marks(keys: Sequence[Key]) -> str:
    return ", ".join(["%s"] * len(keys))


def _size(row: tuple[Any, ...]) -> int:
    return int(row[1])


def _stored(columns: Sequence[str]) -> str:
    """Bytes that these take, of any type, without reading them where the database can tell."""
    size = "pg_column_size({})" if connection.vendor == "postgresql" else "LENGTH(CAST({} AS BLOB))"
    return " + ".join(size.format(column) for column in columns)


def moved(conversation_id: UUID, messages: Sequence[Sized]) -> Work:
    """Give the rows of a conversation to its new owner, and show it then."""
    owner_id = Conversation.hidden_too.values_list("owner", flat=True).get(pk=conversation_id)
    for part in by_size(messages, _size):
        if not is_held(conversation_id, Hidden.MOVING):
            return
        some = [key for key, _ in part]
        marks = _marks(some)
        for change in (
            "chat_turn SET client_id = NULL WHERE message_id IN",
            f"chat_message SET client_id = NULL, owner_id = {owner_id:d} WHERE id IN",
            f"chat_searchentry SET owner_id = {owner_id:d} WHERE message_id IN",
        ):
            sql.change(f"UPDATE {change} ({marks})", *some)
        yield
    if is_held(conversation_id, Hidden.MOVING):
        title = "UPDATE chat_searchentry SET owner_id = %s WHERE conversation_id = %s"
        sql.change(f"{title} AND message_id IS NULL", owner_id, conversation_id)
        Conversation.hidden_too.filter(pk=conversation_id).update(hidden=Hidden.NOT)
        data = ConversationChangedData(session_id=str(conversation_id))
        publish.announce(owner_id, ConversationChanged(data=data))


def is_held(conversation_id: UUID, hidden: str) -> bool:
    """Whether it is still so, until the transaction ends: two may be at it."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update else ""
    mine = f"SELECT 1 FROM chat_conversation WHERE id = %s AND hidden = %s {lock}"
    return bool(sql.select(mine, conversation_id, str(hidden)))


def _messages(conversation_id: UUID) -> Sequence[Sized]:
    """The latest first, as far as that costs nothing: what follows goes before what it follows."""
    texts = _stored(("content", "reasoning"))
    rows = sql.select(
        f"SELECT id, {texts} FROM chat_message WHERE conversation_id = %s", conversation_id
    )
    return [(key, int(size)) for key, size in reversed(rows)]
