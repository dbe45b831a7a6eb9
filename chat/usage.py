"""What answers took, in words for people: model, time, tokens and, where known, the price."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.formats import date_format

from chat.models import Conversation, Turn

Row = tuple[str, str]
"""What it is, and how much of it."""


def of_answer(turn: Turn) -> tuple[Row, ...]:
    """Of one answer that is over. What is not known is left out."""
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
    """Of all its answers, those on other branches included."""
    sums = Turn.objects.filter(conversation=conversation, ended_at__isnull=False).aggregate(
        Count("pk"),
        Sum("input_tokens"),
        Sum("output_tokens"),
        Sum("cached_tokens"),
        Sum("cost"),
    )
    return (
        ("Answers", f"{sums['pk__count']:,}"),
        *_tokens(sums["input_tokens__sum"], sums["output_tokens__sum"], sums["cached_tokens__sum"]),
        *_price(sums["cost__sum"]),
    )


def _tokens(read: int | None, written: int | None, cached: int | None) -> tuple[Row, ...]:
    if read is None or written is None:
        return ()
    from_cache = f" ({cached:,} cached)" if cached else ""
    return ("Tokens in", f"{read:,}{from_cache}"), ("Tokens out", f"{written:,}")


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
