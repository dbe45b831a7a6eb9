"""What exists already: in the database, and, for a dry run, as the import would have left it.

Both answer the same questions, so that a dry run gives the same result as the import.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q

from chat.models import Conversation, Message, ToolRule, Turn
from chat.transfer import comparing
from chat.transfer.archive.format import VERSION, ArchivedConversation

T = TypeVar("T")
_ROWS = 500
_GOES = Q(hidden__in=(Conversation.Hidden.LEAVING, Conversation.Hidden.ARRIVING))
"""Being deleted, or only half imported."""


class Here:
    """The database."""

    def __init__(self) -> None:
        self.brought: set[UUID] = set()
        """Conversations in this import's files: none of them is replaced by another file."""

    def owner_of(self, conversation_id: UUID) -> int | None:
        """Return the owner's id; None if there is no such conversation."""
        found = Conversation.objects.filter(pk=conversation_id)
        return found.values_list("owner_id", flat=True).first()

    def is_free(self, conversation: ArchivedConversation) -> bool:
        """Whether its id and those of its messages are unused, or belong to what is being deleted."""
        if self.owner_of(conversation.id) is not None:
            return False
        if Conversation.hidden_too.exclude(_GOES).filter(pk=conversation.id).exists():
            return False
        return not self.has_any([message.id for message in conversation.messages])

    def has_any(self, messages: Sequence[UUID]) -> bool:
        """Whether a message in any conversation that stays has one of these ids."""
        stay = Message.objects.exclude(Q(conversation__in=Conversation.hidden_too.filter(_GOES)))
        return any(stay.filter(pk__in=some).exists() for some in parts(messages))

    def holders(self, conversation: ArchivedConversation) -> set[UUID]:
        """Return the conversations that have messages with its ids, including hidden ones."""
        ids = [message.id for message in conversation.messages]
        rows = (Message.objects.filter(pk__in=some) for some in parts(ids))
        return {found for held in rows for found in held.values_list("conversation", flat=True)}

    def stored(self, conversation_id: UUID) -> ArchivedConversation | None:
        """Return a conversation as it would be exported; None if it has no messages."""
        return comparing.read_stored(conversation_id)

    def went_on(self, conversation_id: UUID) -> bool:
        """Whether somebody continued it here: began an answer, or allowed a tool."""
        turns = Turn.objects.filter(conversation=conversation_id)
        begun = turns.exclude(process="") | turns.filter(started_at=None) | turns.unfinished()
        rules = ToolRule.objects.filter(conversation=conversation_id, imported=False)
        return begun.exists() or rules.exists()


class Rehearsal(Here):
    """The database, overlaid with what a dry run would have written; on disk, as it may be large."""

    def __init__(self) -> None:
        super().__init__()
        # an empty name means a temporary file, deleted with the connection
        self._written = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._written.execute("PRAGMA journal_mode = OFF")
        self._written.execute("CREATE TABLE conversation (id PRIMARY KEY, owner, whole)")
        self._written.execute("CREATE TABLE message (id PRIMARY KEY) WITHOUT ROWID")

    def write(self, owner: User, conversation: ArchivedConversation) -> None:
        """Record a conversation as written, in place of any earlier one with its id."""
        whole = conversation.model_copy(update={"version": VERSION}).model_dump_json()
        row = (conversation.id.bytes, owner.pk, zlib.compress(whole.encode(), 1))
        self._written.execute("INSERT OR REPLACE INTO conversation VALUES (?, ?, ?)", row)
        ids = ((message.id.bytes,) for message in conversation.messages)
        self._written.executemany("INSERT OR IGNORE INTO message VALUES (?)", ids)

    def owner_of(self, conversation_id: UUID) -> int | None:
        found = self._fetch("owner", conversation_id)
        return super().owner_of(conversation_id) if found is None else found

    def has_any(self, messages: Sequence[UUID]) -> bool:
        for some in parts(messages):
            marks = ", ".join("?" * len(some))
            asked = f"SELECT 1 FROM message WHERE id IN ({marks}) LIMIT 1"  # noqa: S608  # only placeholders
            if self._written.execute(asked, [message.bytes for message in some]).fetchone():
                return True
        return super().has_any(messages)

    def stored(self, conversation_id: UUID) -> ArchivedConversation | None:
        return self._read(conversation_id) or super().stored(conversation_id)

    def went_on(self, conversation_id: UUID) -> bool:
        written = self._read(conversation_id)
        messages = written.messages if written else ()
        never_began = any(said.turn and said.turn.started_at is None for said in messages)
        return never_began or super().went_on(conversation_id)

    def _read(self, conversation_id: UUID) -> ArchivedConversation | None:
        whole = self._fetch("whole", conversation_id)
        return whole and ArchivedConversation.model_validate_json(zlib.decompress(whole))

    def _fetch(self, column: str, conversation_id: UUID) -> Any:
        asked = f"SELECT {column} FROM conversation WHERE id = ?"  # noqa: S608  # our own name
        row = self._written.execute(asked, [conversation_id.bytes]).fetchone()
        return row[0] if row else None


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split values into chunks: SQLite takes a limited number of parameters."""
    return (values[at : at + _ROWS] for at in range(0, len(values), _ROWS))
