"""Numbers about each conversation or user of a list: three queries for a whole page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, Sum, Window
from django.db.models.functions import RowNumber

from chat.admin.filters import STATES
from chat.models import Conversation, Message, Turn, TurnQuerySet

_LEAST_FIRST = tuple(map(str, (Turn.Status.QUEUED, Turn.Status.WAITING, Turn.Status.RUNNING)))

_Usage = tuple[int, int, Decimal | None]
_NO_USAGE: _Usage = (0, 0, None)


@dataclass(frozen=True)
class Facts:
    """Facts about a conversation, over all branches."""

    messages: int = 0
    read: int = 0
    """Tokens in."""
    written: int = 0
    """Tokens out."""
    cost: Decimal | None = None
    status: str = ""
    """Status of the unfinished turn, or else of the last; empty if there is none."""
    model: str = ""
    """The model of that turn."""

    @property
    def state(self) -> str:
        return STATES.get(self.status, "")


def facts(conversations: Collection[Conversation]) -> dict[UUID, Facts]:
    """Return the facts by conversation id."""
    ids = [conversation.pk for conversation in conversations]
    messages = Message.objects.filter(conversation__in=ids)
    counted = dict(messages.values_list("conversation").annotate(Count("pk")))
    turns = Turn.objects.filter(conversation__in=ids)
    used = _usage(turns, "conversation")
    last = _last(turns, [c.leaf_id for c in conversations if c.leaf_id])
    return {
        pk: Facts(
            counted.get(pk, 0),
            *used.get(pk, _NO_USAGE),
            last[pk].status if pk in last else "",
            last[pk].model if pk in last else "",
        )
        for pk in ids
    }


def _usage(turns: TurnQuerySet, by: str) -> dict[Any, _Usage]:
    """Sum the tokens in and out and the cost of turns, by a field."""
    sums = turns.values_list(by).annotate(Sum("input_tokens"), Sum("output_tokens"), Sum("cost"))
    return {key: (read or 0, written or 0, cost) for key, read, written, cost in sums}


def _last(turns: TurnQuerySet, leaves: Collection[UUID]) -> dict[UUID, Turn]:
    """Return the turn that determines the state of each conversation."""
    telling = turns.filter(Q(message__in=leaves) | Q(status__in=Turn.UNFINISHED)).order_by("pk")
    # a live turn sorts last, and so wins
    return {turn.conversation_id: turn for turn in sorted(telling, key=_weight)}


def _weight(turn: Turn) -> int:
    return _LEAST_FIRST.index(turn.status) if turn.status in _LEAST_FIRST else -1


@dataclass(frozen=True)
class Use:
    """Usage of a user, over all time."""

    chats: int = 0
    messages: int = 0
    """Messages, including the answers."""
    read: int = 0
    written: int = 0
    cost: Decimal | None = None
    last_message: datetime | None = None
    """Time of their latest own message."""
    is_part: bool = False
    """Only the latest chats are summed: the real numbers are higher."""


LATEST = 200
"""Chats per user that a list sums."""


def use_of(users: Collection[int], *, latest: int | None = None) -> dict[int, Use]:
    """Return the usage by user id, over the `latest` chats of each, or over all."""
    owned = Conversation.objects.filter(owner__in=users)
    chats = owned.filter(leaf__isnull=False).values_list("owner").annotate(Count("pk"))
    counted = dict(chats.order_by())
    rank = Window(RowNumber(), partition_by="owner", order_by=["-updated_at", "-id"])
    added: Any = owned.values("pk")
    if latest is not None:
        ranked = owned.annotate(rank=rank).filter(rank__lte=latest)
        added = list(ranked.values_list("pk", flat=True))
    messages = Message.objects.filter(conversation__in=added)
    by_person = messages.values_list("conversation__owner").annotate(
        number=Count("pk"), last=Max("created_at", filter=Q(role=Message.Role.USER))
    )
    messages_of = {pk: (number, last) for pk, number, last in by_person}
    turns = Turn.objects.filter(conversation__in=added)
    used = _usage(turns, "conversation__owner")
    return {
        pk: Use(
            counted.get(pk, 0),
            messages_of.get(pk, (0, None))[0],
            *used.get(pk, _NO_USAGE),
            messages_of.get(pk, (0, None))[1],
            is_part=latest is not None and counted.get(pk, 0) > latest,
        )
        for pk in users
    }
