"""Conversations that are there for nobody, until the last of their rows is written or gone.

Whoever deletes a large one, or gives it to somebody else, only hides it: that is one short
transaction, and everybody sees it done. The rest follows in steps, by whoever has the time: the
server at each of its looks, or a command that cannot wait. A process that is killed leaves a hidden
one behind, which somebody else goes on with; a half import is cleared away.
"""

# ruff: noqa: S608  # statements are made of names and marks
from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from time import sleep
from uuid import UUID

from django.db import connection

from chat import publish, statements
from chat.database import read, write
from chat.models import HIDDEN, Conversation
from chat.protocol import ConversationChanged, ConversationChangedData
from chat.services.importers import alone_with
from chat.services.steps import SHORTEST_PAUSE, Work, finish, step

Hidden = Conversation.Hidden
Key = str | UUID
"""Of a message, as the database has it."""
CHUNK = 50
"""Messages that are deleted at once: a few milliseconds with their words."""
PARTS = 100
"""Rows of theirs."""
MOVED = 200
SMALL = 200
"""Messages of a conversation that is deleted or moved at once."""
LITTLE = 25
"""Pieces of work that are done at once."""


def found() -> list[tuple[UUID, str]]:
    """The hidden conversations, and why each is."""
    rows = statements.select("SELECT id, hidden FROM chat_conversation WHERE hidden > ''")
    return [(UUID(str(key)), hidden) for key, hidden in rows]


def at_once(conversation_id: UUID) -> None:
    """Do what there is to do in the transaction under way, where it is little."""
    for _ in islice(work(conversation_id), LITTLE):
        pass


async def sweep() -> None:
    """Finish what is hidden, beside everything else that a server does."""
    for conversation_id, hidden in await read(found):
        if hidden == Hidden.ARRIVING:
            await write(give_up_if_dead, conversation_id)
        rest = await read(work, conversation_id)
        while (pause := await write(step, rest)) is not None:  # noqa: ASYNC110  # nothing to wait for but time
            await asyncio.sleep(pause)


def finish_all(conversation_ids: Iterable[UUID]) -> None:
    """Finish with these before anything else is done, whoever else is at it."""
    for conversation_id in conversation_ids:
        while _why(conversation_id) in (Hidden.LEAVING, Hidden.MOVING):
            finish(work(conversation_id))
            sleep(SHORTEST_PAUSE)  # somebody else may be at it


def work(conversation_id: UUID) -> Work:
    """What is left to do with a conversation. Its messages are looked up outside any step."""
    hidden = _why(conversation_id)
    if hidden == Hidden.LEAVING:
        return cleared(conversation_id, _message_keys(conversation_id))
    if hidden == Hidden.MOVING:
        return moved(conversation_id, _message_keys(conversation_id))
    return _nothing()


def _nothing() -> Work:
    yield from ()


def _why(conversation_id: UUID) -> str:
    rows = statements.select("SELECT hidden FROM chat_conversation WHERE id = %s", conversation_id)
    return str(rows[0][0]) if rows else ""


def give_up_if_dead(conversation_id: UUID) -> None:
    with alone_with(conversation_id) as is_nobodys:
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
    return bool(client_id and statements.change(free, owner_id, client_id))


def cleared(conversation_id: UUID, messages: Sequence[Key]) -> Work:
    """Delete the rows of a conversation that is leaving.

    By hand: the ORM's own cascade would load them all, and its statements take four times as long
    as the database needs.
    """
    for some in _parts(messages, CHUNK):
        if not is_held(conversation_id, Hidden.LEAVING):
            return
        yield from _without_parts(some)
        marks = ", ".join(["%s"] * len(some))
        # an answer may be older than what it answers, by somebody's clock
        statements.change(
            f"UPDATE chat_message SET parent_id = NULL WHERE parent_id IN ({marks})"
            f" AND id NOT IN ({marks})",
            *some,
            *some,
        )
        statements.change(f"DELETE FROM chat_message WHERE id IN ({marks})", *some)
        yield
    if is_held(conversation_id, Hidden.LEAVING):
        for table in ("toolrule", "searchentry"):
            statements.change(
                f"DELETE FROM chat_{table} WHERE conversation_id = %s", conversation_id
            )
        statements.change("DELETE FROM chat_conversation WHERE id = %s", conversation_id)


def _without_parts(keys: Sequence[Key]) -> Work:
    """Delete what belongs to messages: the import of an archive may bring thousands for each."""
    marks = ", ".join(["%s"] * len(keys))
    turns = f"SELECT id FROM chat_turn WHERE message_id IN ({marks})"
    for table, whose in (
        ("piece", f"turn_id IN ({turns})"),
        ("toolcall", f"message_id IN ({marks})"),
        ("opaquepart", f"message_id IN ({marks})"),
        ("keptrender", f"message_id IN ({marks})"),
        ("turn", f"message_id IN ({marks})"),
        ("searchentry", f"message_id IN ({marks})"),
    ):
        some = f"SELECT id FROM chat_{table} WHERE {whose} LIMIT {PARTS}"
        while statements.change(f"DELETE FROM chat_{table} WHERE id IN ({some})", *keys) == PARTS:
            yield


def moved(conversation_id: UUID, messages: Sequence[Key]) -> Work:
    """Give the rows of a conversation to its new owner, and show it then."""
    owner_id = Conversation.hidden_too.values_list("owner", flat=True).get(pk=conversation_id)
    for some in _parts(messages, MOVED):
        if not is_held(conversation_id, Hidden.MOVING):
            return
        marks = ", ".join(["%s"] * len(some))
        for change in (
            "chat_turn SET client_id = NULL WHERE message_id IN",
            f"chat_message SET client_id = NULL, owner_id = {owner_id:d} WHERE id IN",
            f"chat_searchentry SET owner_id = {owner_id:d} WHERE message_id IN",
        ):
            statements.change(f"UPDATE {change} ({marks})", *some)
        yield
    if is_held(conversation_id, Hidden.MOVING):
        title = "UPDATE chat_searchentry SET owner_id = %s WHERE conversation_id = %s"
        statements.change(f"{title} AND message_id IS NULL", owner_id, conversation_id)
        Conversation.hidden_too.filter(pk=conversation_id).update(hidden=Hidden.NOT)
        data = ConversationChangedData(session_id=str(conversation_id))
        publish.announce(owner_id, ConversationChanged(data=data))


def is_held(conversation_id: UUID, hidden: str) -> bool:
    """Whether it is still so, until the transaction ends: two may be at it."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update else ""
    mine = f"SELECT 1 FROM chat_conversation WHERE id = %s AND hidden = %s {lock}"
    return bool(statements.select(mine, conversation_id, str(hidden)))


def _message_keys(conversation_id: UUID) -> Sequence[Key]:
    """The latest first, as far as that costs nothing: what follows goes before what it follows."""
    rows = statements.select(
        "SELECT id FROM chat_message WHERE conversation_id = %s", conversation_id
    )
    return [key for (key,) in reversed(rows)]


def _parts(keys: Sequence[Key], size: int) -> Iterator[Sequence[Key]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))
