"""What is here already, as an import looks at it; and as it would be by now, for a dry run.

Both are asked the same questions, so that a dry run comes to what the import comes to.
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
"""It is leaving, or a half that never came whole."""


class Here:
    """The database."""

    def __init__(self) -> None:
        self.brought: set[UUID] = set()
        """Conversations of this import's files: what one of them brought, no other one replaces."""

    def owner_of(self, conversation_id: UUID) -> int | None:
        """None: there is no such conversation."""
        found = Conversation.objects.filter(pk=conversation_id)
        return found.values_list("owner_id", flat=True).first()

    def is_free(self, conversation: ArchivedConversation) -> bool:
        """Whether its id and those of its messages are nobody's, or of what goes."""
        if self.owner_of(conversation.id) is not None:
            return False
        if Conversation.hidden_too.exclude(_GOES).filter(pk=conversation.id).exists():
            return False
        return not self.has_any([message.id for message in conversation.messages])

    def has_any(self, messages: Sequence[UUID]) -> bool:
        """Whether one of these ids is a message's, in whichever conversation that stays."""
        stay = Message.objects.exclude(Q(conversation__in=Conversation.hidden_too.filter(_GOES)))
        return any(stay.filter(pk__in=some).exists() for some in parts(messages))

    def holders(self, conversation: ArchivedConversation) -> set[UUID]:
        """The conversations that have its messages' ids, also those that go."""
        ids = [message.id for message in conversation.messages]
        rows = (Message.objects.filter(pk__in=some) for some in parts(ids))
        return {found for held in rows for found in held.values_list("conversation", flat=True)}

    def stored(self, conversation_id: UUID) -> ArchivedConversation | None:
        """As it would be exported; None: it has no messages."""
        return comparing.stored(conversation_id)

    def went_on(self, conversation_id: UUID) -> bool:
        """Whether an answer of a conversation was begun here, or something was allowed in it."""
        turns = Turn.objects.filter(conversation=conversation_id)
        begun = turns.exclude(process="") | turns.filter(started_at=None) | turns.unfinished()
        rules = ToolRule.objects.filter(conversation=conversation_id, imported=False)
        return begun.exists() or rules.exists()


class Rehearsal(Here):
    """The database, and over it what a dry run would have written: on the disk, for it may be much."""

    def __init__(self) -> None:
        super().__init__()
        # an empty name: a file of its own, gone with the connection
        self._written = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._written.execute("PRAGMA journal_mode = OFF")
        self._written.execute("CREATE TABLE conversation (id PRIMARY KEY, owner, whole)")
        self._written.execute("CREATE TABLE message (id PRIMARY KEY) WITHOUT ROWID")

    def write(self, owner: User, conversation: ArchivedConversation) -> None:
        """A conversation is there like this now, in place of what was there under its id."""
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
            asked = f"SELECT 1 FROM message WHERE id IN ({marks}) LIMIT 1"  # noqa: S608  # only marks
            if self._written.execute(asked, [message.bytes for message in some]).fetchone():
                return True
        return super().has_any(messages)

    def stored(self, conversation_id: UUID) -> ArchivedConversation | None:
        return self._written_as(conversation_id) or super().stored(conversation_id)

    def went_on(self, conversation_id: UUID) -> bool:
        written = self._written_as(conversation_id)
        messages = written.messages if written else ()
        never_began = any(said.turn and said.turn.started_at is None for said in messages)
        return never_began or super().went_on(conversation_id)

    def _written_as(self, conversation_id: UUID) -> ArchivedConversation | None:
        whole = self._fetch("whole", conversation_id)
        return whole and ArchivedConversation.model_validate_json(zlib.decompress(whole))

    def _fetch(self, column: str, conversation_id: UUID) -> Any:
        asked = f"SELECT {column} FROM conversation WHERE id = ?"  # noqa: S608  # a name of ours
        row = self._written.execute(asked, [conversation_id.bytes]).fetchone()
        return row[0] if row else None


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """SQLite takes a limited number of parameters."""
    return (values[at : at + _ROWS] for at in range(0, len(values), _ROWS))
