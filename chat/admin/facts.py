"""What a list says of each conversation: for a whole page of them in three queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, Sum

from chat.admin.filters import STATES
from chat.models import Conversation, Message, Turn, TurnQuerySet

_LEAST_FIRST = tuple(map(str, (Turn.Status.QUEUED, Turn.Status.WAITING, Turn.Status.RUNNING)))


@dataclass(frozen=True)
class Facts:
    """Of one conversation, all branches."""

    messages: int = 0
    read: int = 0
    """Tokens that the models were given."""
    written: int = 0
    """Tokens that they wrote."""
    cost: Decimal | None = None
    status: str = ""
    """Of the unfinished turn, else of the last one; empty: there is none."""
    model: str = ""
    """That answers, or answered last."""

    @property
    def state(self) -> str:
        return STATES.get(self.status, "")


def facts(conversations: Collection[Conversation]) -> dict[UUID, Facts]:
    """By the conversation's id."""
    ids = [conversation.pk for conversation in conversations]
    messages = Message.objects.filter(conversation__in=ids)
    counted = dict(messages.values_list("conversation").annotate(Count("pk")))
    turns = Turn.objects.filter(conversation__in=ids)
    sums = turns.values_list("conversation").annotate(
        Sum("input_tokens"), Sum("output_tokens"), Sum("cost")
    )
    used = {pk: (read, written, cost) for pk, read, written, cost in sums}
    last = _last(turns, [c.leaf_id for c in conversations if c.leaf_id])
    nothing = (0, 0, None)
    return {
        pk: Facts(
            counted.get(pk, 0),
            used.get(pk, nothing)[0] or 0,
            used.get(pk, nothing)[1] or 0,
            used.get(pk, nothing)[2],
            last[pk].status if pk in last else "",
            last[pk].model if pk in last else "",
        )
        for pk in ids
    }


def _last(turns: TurnQuerySet, leaves: Collection[UUID]) -> dict[UUID, Turn]:
    """The turn that says how each conversation stands."""
    telling = turns.filter(Q(message__in=leaves) | Q(status__in=Turn.UNFINISHED)).order_by("pk")
    # of several, a live one comes last, and so remains
    return {turn.conversation_id: turn for turn in sorted(telling, key=_weight)}


def _weight(turn: Turn) -> int:
    return _LEAST_FIRST.index(turn.status) if turn.status in _LEAST_FIRST else -1
