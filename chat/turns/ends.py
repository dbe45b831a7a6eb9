"""The frame that ends an answer, and what the answer used."""

from __future__ import annotations

from chat.models import Turn
from chat.protocol import Done, UsageView
from chat.turns.live import LiveTurn


def done(turn: Turn | LiveTurn, status: str, usage: UsageView | None = None) -> Done:
    """Make the frame that tells of a turn's end."""
    return Done(
        message_id=str(turn.message_id), status=status, client_id=turn.client_id, usage=usage
    )


def usage_view(turn: Turn) -> UsageView | None:
    """The tokens of an answer, as stored; None: not known."""
    return UsageView.of(turn.input_tokens, turn.output_tokens, turn.cached_tokens, turn.cost)
