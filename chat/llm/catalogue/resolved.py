"""The result of looking up a model's id."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chat.llm.base import ModelClient, Usage
from chat.llm.catalogue import prices


@dataclass(frozen=True)
class Resolved:
    """A model and its client."""

    model_id: str
    """The value for `Request.model`."""
    client: ModelClient
    context_window: int | None = None
    supports_tools: bool | None = None
    """None if unknown."""
    price: prices.Price | None = None
    id: str = ""
    """The model's id in the catalogue, by which it can be looked up again."""

    def cost(self, usage: Usage) -> Decimal | None:
        """Return the cost of one request in US dollars, if known."""
        return self.price.of(usage) if self.price else None
