"""The usage of answers, for people: model, time, tokens and, if known, the price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format

from chat.models import Conversation, Turn
from chat.models.branches import ids

Row = tuple[str, str]
"""A label and a value."""
RECENT = 6
"""Messages at the end of a branch, among which its latest answer is found."""


NEARLY_FULL = 80
"""Percent of the context from which a person is warned."""


@dataclass(frozen=True)
class Context:
    """How much of its model's context a conversation takes."""

    tokens: int
    window: int | None
    """Tokens that the context holds; None: not known."""

    @property
    def percent(self) -> int:
        return min(100, self.tokens * 100 // self.window) if self.window else 0

    @property
    def high(self) -> int:
        """Tokens from which the context is nearly full."""
        return (self.window or 0) * NEARLY_FULL // 100

    @property
    def is_nearly_full(self) -> bool:
        return self.percent >= NEARLY_FULL

    def __str__(self) -> str:
        if not self.window:
            return f"{_short(self.tokens)} tokens"
        return f"{_short(self.tokens)} of {_short(self.window)} tokens ({self.percent}%)"


def context_of(turn: Turn) -> Context | None:
    """Return the context that an answer and its conversation took; None: its model did not say."""
    if turn.context_tokens is None:
        return None
    return Context(turn.context_tokens, turn.context_window)


def context_now(conversation: Conversation) -> Context | None:
    """Return the context after the current branch's latest finished answer."""
    latest_ids = ids(conversation.leaf_id, last=RECENT)
    turns = Turn.objects.filter(message__in=latest_ids, ended_at__isnull=False)
    latest = turns.exclude(context_tokens=None).order_by("pk").last()
    return context_of(latest) if latest else None


def of_answer(turn: Turn) -> tuple[Row, ...]:
    """Describe one answer that is over. Unknown values are left out."""
    began = turn.started_at or turn.created_at
    rows = [
        ("Model", turn.model),
        ("Time", date_format(timezone.localtime(began), "j M Y, H:i")),
    ]
    if turn.started_at and turn.ended_at:
        rows.append(("Took", _duration((turn.ended_at - turn.started_at).total_seconds())))
    rows += _tokens(turn.input_tokens, turn.output_tokens, turn.cached_tokens)
    return (*rows, *_price(turn.cost))


def of_conversation(conversation: Conversation) -> tuple[Row, ...]:
    """Describe all answers of a conversation, including other branches."""
    sums = sum_usage(Turn.objects.filter(conversation=conversation, ended_at__isnull=False))
    return (
        ("Answers", f"{sums.answers:,}"),
        *_tokens(sums.read, sums.written, sums.cached),
        *_price(sums.cost),
    )


class Sums(NamedTuple):
    """The usage of some turns together; None: not known of any."""

    answers: int
    read: int | None
    written: int | None
    cached: int | None
    cost: Decimal | None


def sum_usage(turns: QuerySet[Turn]) -> Sums:
    """Add up the tokens and the cost of some turns, in one query."""
    sums = turns.aggregate(
        answers=Count("pk"),
        read=Sum("input_tokens"),
        written=Sum("output_tokens"),
        cached=Sum("cached_tokens"),
        cost=Sum("cost"),
    )
    return Sums(**sums)


def _tokens(read: int | None, written: int | None, cached: int | None) -> tuple[Row, ...]:
    if read is None or written is None:
        return ()
    from_cache = f" ({cached:,} cached)" if cached else ""
    return ("Tokens in", f"{read:,}{from_cache}"), ("Tokens out", f"{written:,}")


def _short(tokens: int) -> str:
    """Format a number of tokens: `840`, `1.5k`, `54k`, `1M`."""
    if tokens < 1000:
        return str(tokens)
    unit, size = ("M", 1_000_000) if tokens >= 999_500 else ("k", 1000)
    return f"{tokens / size:.{1 if tokens < 10 * size else 0}f}".removesuffix(".0") + unit


def _price(cost: Decimal | None) -> tuple[Row, ...]:
    if cost is None:
        return ()
    if 0 < cost < Decimal("0.0001"):
        return (("Cost", "less than $0.0001"),)
    return (("Cost", f"${cost:.4f}"),)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
