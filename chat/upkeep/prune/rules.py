"""Choosing which conversations to delete, and measuring how much that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Count, F, Func, Sum
from django.db.models.functions import Coalesce
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone
from django.utils.formats import date_format

from chat.models import Conversation, ConversationQuerySet, Message, OpaquePart, ToolCall, Turn

CHUNK = 500
"""Conversations read in one query."""


@dataclass(frozen=True)
class Rules:
    """Conditions that a conversation must all meet to be deleted."""

    older_than: timedelta | None = None
    """The least time since it was last used."""
    keep_newest: int = 0
    """How many of each user's are kept, of those that would be deleted."""
    keep_pinned: bool = False
    archived_only: bool = False
    owner: User | None = None
    """None: all users."""
    at: datetime = field(default_factory=timezone.now)

    @property
    def before(self) -> datetime:
        return self.at - (self.older_than or timedelta())

    def __str__(self) -> str:
        words = [f"Conversations of {self.owner}" if self.owner else "Conversations"]
        if self.older_than is not None:
            words.append(f"last used before {_moment(self.before)}")
        if self.archived_only:
            words.append("only archived ones")
        if self.keep_pinned:
            words.append("except pinned ones")
        if self.keep_newest:
            words.append(f"except the newest {self.keep_newest:,} of each user")
        return ", ".join(words)

    def shares(self) -> Iterator[Share]:
        """Yield one share for everyone or, if the newest are kept, one per user."""
        if not self.keep_newest:
            yield Share(self, self.owner.pk if self.owner else None, self.before)
            return
        users = User.objects.filter(pk=self.owner.pk) if self.owner else User.objects.all()
        for user_id in users.order_by("pk").values_list("pk", flat=True):
            newest = self.conversations(user_id).order_by("-updated_at", "-id")
            last_kept = newest.values_list("updated_at", flat=True)[self.keep_newest - 1 :].first()
            if last_kept is not None:
                # those of the same moment are kept too, rather than one too few
                yield Share(self, user_id, min(self.before, last_kept))

    def conversations(self, owner_id: int | None) -> ConversationQuerySet:
        """Return the conversations that could be deleted at any age; those without messages do not count."""
        found = Conversation.objects.filter(leaf__isnull=False)
        if owner_id is not None:
            found = found.of(owner_id)
        if self.keep_pinned:
            found = found.filter(pinned=False)
        if self.archived_only:
            found = found.filter(archived=True)
        return found


@dataclass(frozen=True)
class Share:
    """The conversations to delete of one user, or of all."""

    rules: Rules
    owner_id: int | None
    before: datetime

    def conversations(self) -> ConversationQuerySet:
        return self.rules.conversations(self.owner_id).filter(updated_at__lt=self.before)

    def after(self, last: tuple[datetime, UUID] | None) -> list[tuple[datetime, UUID]]:
        """Return the next `CHUNK`, oldest first: the time of last use and the id of each."""
        found = self.conversations().order_by("updated_at", "id")
        if last is not None:
            moment, conversation_id = last
            found = found.filter(updated_at__gte=moment).exclude(
                updated_at=moment, id__lte=conversation_id
            )
        return list(found.values_list("updated_at", "id")[:CHUNK])


@dataclass(frozen=True)
class Amount:
    """How much would be deleted."""

    conversations: int = 0
    messages: int = 0
    size: int = 0
    """Bytes of text."""
    in_use: int = 0
    """Conversations kept because an answer in them is unfinished."""
    oldest: datetime | None = None
    newest: datetime | None = None

    def __add__(self, other: Amount) -> Amount:
        moments = [m for m in (self.oldest, self.newest, other.oldest, other.newest) if m]
        return Amount(
            self.conversations + other.conversations,
            self.messages + other.messages,
            self.size + other.size,
            self.in_use + other.in_use,
            min(moments, default=None),
            max(moments, default=None),
        )


def measure(rules: Rules) -> Amount:
    """Measure what would be deleted now, with a few short queries per `CHUNK`."""
    total = Amount()
    for share in rules.shares():
        last = None
        while chunk := share.after(last):
            total += _measure(chunk)
            last = chunk[-1]
    return total


def _measure(chunk: list[tuple[datetime, UUID]]) -> Amount:
    ids = [conversation_id for _, conversation_id in chunk]
    unfinished = Turn.objects.unfinished().filter(conversation__in=ids)
    in_use = set(unfinished.values_list("conversation_id", flat=True))
    going = [(moment, pk) for moment, pk in chunk if pk not in in_use]
    if not going:
        return Amount(in_use=len(in_use))
    ids = [conversation_id for _, conversation_id in going]
    said = Message.objects.filter(conversation__in=ids).aggregate(
        messages=Count("pk"), size=_size("content", "reasoning")
    )
    called = ToolCall.objects.filter(message__conversation__in=ids).aggregate(
        size=_size("arguments", "edited_arguments", "result")
    )
    opaque = OpaquePart.objects.filter(message__conversation__in=ids).aggregate(size=_size("data"))
    return Amount(
        conversations=len(going),
        messages=said["messages"],
        size=said["size"] + called["size"] + opaque["size"],
        in_use=len(in_use),
        oldest=going[0][0],
        newest=going[-1][0],
    )


class _Bytes(Func):
    """The bytes of a text, as stored; 64 bits wide, unlike `chat.db.functions.Bytes`."""

    function = "OCTET_LENGTH"
    output_field = BigIntegerField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        sql, params = self.as_sql(compiler, connection, template=template, **context)
        return sql, tuple(params)


def _size(*columns: str) -> Coalesce:
    total = sum((_Bytes(F(column)) for column in columns[1:]), start=_Bytes(F(columns[0])))
    return Coalesce(Sum(total), 0, output_field=BigIntegerField())


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j M Y, H:i")
