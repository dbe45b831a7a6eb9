"""Whom to ask, once it is known."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chat.llm.base import ModelClient, Usage
from chat.llm.catalogue import prices


@dataclass(frozen=True)
class Resolved:
    """A model and its client."""

    model_id: str
    """What to put into `Request.model`."""
    client: ModelClient
    context_window: int | None = None
    supports_tools: bool | None = None
    """None: not known."""
    price: prices.Price | None = None
    id: str = ""
    """What the model is called here: asked for by this id, it is found again."""

    def cost(self, usage: Usage) -> Decimal | None:
        """What one request cost in US dollars, where that is known."""
        return self.price.of(usage) if self.price else None
