"""Hidden conversations: nobody sees them until the last of their rows is written, moved or deleted.

Deleting a large conversation or giving it to another user only hides it: one short transaction,
after which it is done for everyone. The rest follows in steps, run by the server at each poll or by
a command that cannot wait. If a process is killed, another one continues with the hidden
conversation it left behind; a half import is cleared away.
"""

# ruff: noqa: S608  # statements contain only our own names and placeholders
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
from chat.services import dependents
from chat.services.dependents import Dependent
from chat.services.imports import locks
from chat.services.steps import HOLD, SHORTEST_PAUSE, Work, by_size, finish, step

Hidden = Conversation.Hidden
Key = str | UUID
"""The primary key of a message, in the database's own type."""
Sized = tuple[Key, int]
"""A message's key and the bytes of its texts."""
PARTS = 100
"""Rows of a dependent table that are looked up at once."""
SMALL = 200
"""A conversation with at most so many messages is deleted, moved or replaced at once."""
LITTLE = 256 * 1024
"""The same, for the bytes of their texts."""


def list_hidden() -> list[tuple[UUID, str]]:
    """Return the hidden conversations, each with the reason."""
    rows = sql.select("SELECT id, hidden FROM chat_conversation WHERE hidden > ''")
    return [(UUID(str(key)), hidden) for key, hidden in rows]


def list_leaving() -> list[UUID]:
    """Return the deleted conversations that still have rows."""
    return [conversation_id for conversation_id, why in list_hidden() if why == Hidden.LEAVING]


def at_once(conversation_id: UUID) -> None:
    """Do the work of a small conversation in the current transaction."""
    if not _is_small(conversation_id):
        return
    used = thread_time()
    for _ in remaining_work(conversation_id):
        if thread_time() - used > HOLD:
            return


def _is_small(conversation_id: UUID) -> bool:
    """Whether it can be deleted or moved at once. Stops reading where it exceeds a limit."""
    sizes = Message.objects.filter(conversation=conversation_id).values_list(
        Bytes("content") + Bytes("reasoning"), flat=True
    )
    totals = enumerate(accumulate(sizes.iterator(chunk_size=10)), start=1)
    return all(number <= SMALL and total <= LITTLE for number, total in totals)


async def sweep() -> None:
    """Finish hidden conversations in the background of a server."""
    for conversation_id, hidden in await read(list_hidden):
        if hidden == Hidden.ARRIVING:
            await write(give_up_if_dead, conversation_id)
        rest = await read(remaining_work, conversation_id)
        while (pause := await write(step, rest)) is not None:  # noqa: ASYNC110  # only time to wait for
            await asyncio.sleep(pause)


async def tidy() -> None:
    """Remove lock files of killed imports. Called once an hour."""
    await read(locks.tidy)


def finish_all(conversation_ids: Iterable[UUID]) -> None:
    """Finish these conversations before returning, even if another process works on them too."""
    for conversation_id in conversation_ids:
        while state_of(conversation_id) in (Hidden.LEAVING, Hidden.MOVING):
            finish(remaining_work(conversation_id))
            sleep(SHORTEST_PAUSE)  # another process may hold it


def remaining_work(conversation_id: UUID) -> Work:
    """Return the work left on a conversation. Its messages are looked up outside any step."""
    hidden = state_of(conversation_id)
    if hidden == Hidden.LEAVING:
        return delete_rows(conversation_id, _messages(conversation_id))
    if hidden == Hidden.MOVING:
        return move_rows(conversation_id, _messages(conversation_id))
    return _nothing()


def _nothing() -> Work:
    yield from ()


def state_of(conversation_id: UUID) -> str:
    """Return why a conversation is hidden; empty if it is visible or does not exist."""
    rows = sql.select("SELECT hidden FROM chat_conversation WHERE id = %s", conversation_id)
    return str(rows[0][0]) if rows else ""


def give_up_if_dead(conversation_id: UUID) -> None:
    """Clear away a half conversation unless its importer is alive."""
    with locks.alone_with(conversation_id) as is_nobodys:
        if is_nobodys:
            give_up(conversation_id)


def give_up(conversation_id: UUID) -> None:
    """Mark a half conversation as leaving, so that it is cleared away."""
    half = Conversation.hidden_too.filter(pk=conversation_id, hidden=Hidden.ARRIVING)
    half.update(hidden=Hidden.LEAVING)


def is_freed(owner_id: int, client_id: str | None) -> bool:
    """Take a send's id from a hidden message. Return False if none has it."""
    whose = "WHERE owner_id = %s AND client_id = %s AND conversation_id IN"
    free = f"UPDATE chat_message SET client_id = NULL {whose} ({HIDDEN})"
    return bool(client_id and sql.change(free, owner_id, client_id))


def delete_rows(conversation_id: UUID, messages: Sequence[Sized]) -> Work:
    """Delete the rows of a conversation that is leaving.

    In SQL, because the ORM's own cascade would load all rows, and its statements take four times
    as long as the database needs.
    """
    for part in by_size(messages, _size):
        if not is_held(conversation_id, Hidden.LEAVING):
            return
        some = [key for key, _ in part]
        marks = _marks(some)
        for dependent in dependents.of_messages():
            yield from _delete(dependent, marks, some)
        # an imported answer may carry an earlier time than its question
        sql.change(
            f"UPDATE chat_message SET parent_id = NULL WHERE parent_id IN ({marks})"
            f" AND id NOT IN ({marks})",
            *some,
            *some,
        )
        sql.change(f"DELETE FROM chat_message WHERE id IN ({marks})", *some)
        yield
    if is_held(conversation_id, Hidden.LEAVING):
        for dependent in dependents.of_conversation():
            yield from _delete(dependent, "%s", [conversation_id])
        sql.change("DELETE FROM chat_conversation WHERE id = %s", conversation_id)


def _delete(dependent: Dependent, marks: str, keys: Sequence[Key]) -> Work:
    """Delete a few rows at a time: an imported archive may bring thousands for one message."""
    table, where, texts = dependent
    size = _stored(texts)
    some = f"SELECT id, {size} FROM {table} WHERE {where.format(marks)} LIMIT {PARTS}"
    while rows := sql.select(some, *keys):
        for part in by_size(rows, _size):
            ids = [row_id for row_id, _ in part]
            sql.change(f"DELETE FROM {table} WHERE id IN ({_marks(ids)})", *ids)
            yield
        if len(rows) < PARTS:
            return


def _marks(keys: Sequence[Key]) -> str:
    return ", ".join(["%s"] * len(keys))


def _size(row: tuple[Any, ...]) -> int:
    return int(row[1])


def _stored(columns: Sequence[str]) -> str:
    """SQL for the bytes that these columns take; PostgreSQL tells without reading them."""
    size = "pg_column_size({})" if connection.vendor == "postgresql" else "LENGTH(CAST({} AS BLOB))"
    return " + ".join(size.format(column) for column in columns)


def move_rows(conversation_id: UUID, messages: Sequence[Sized]) -> Work:
    """Give the rows of a conversation to its new owner, then show it."""
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
    """Whether it is still hidden for this reason, and ours until the transaction ends."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update else ""
    mine = f"SELECT 1 FROM chat_conversation WHERE id = %s AND hidden = %s {lock}"
    return bool(sql.select(mine, conversation_id, str(hidden)))


def _messages(conversation_id: UUID) -> Sequence[Sized]:
    """Return the messages in reverse order, so that most answers go before their questions."""
    texts = _stored(("content", "reasoning"))
    rows = sql.select(
        f"SELECT id, {texts} FROM chat_message WHERE conversation_id = %s", conversation_id
    )
    return [(key, int(size)) for key, size in reversed(rows)]
