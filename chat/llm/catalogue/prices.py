"""LiteLLM's list of models: prices, context windows and abilities.

The list is a file in LiteLLM's package, read here without importing the package. Reading takes
about ten milliseconds: `known` does it once, in a thread, before anything else needs the list.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from chat.llm.base import Usage

log = logging.getLogger(__name__)

_THRESHOLDS = (100, 128, 200, 272, 512)  # thousands of tokens, as in the list's field names
FILE = "model_prices_and_context_window_backup.json"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per token."""

    input: Decimal
    output: Decimal
    cached: Decimal
    long_from: int | None = None
    """A request with more input tokens than this is charged by `long` as a whole."""
    long: Price | None = None

    def of(self, usage: Usage) -> Decimal:
        """Return the cost of one request. For an answer of several rounds, add up the requests."""
        if self.long and self.long_from and usage.input_tokens > self.long_from:
            return self.long.of(usage)
        cached = min(usage.cached_tokens, usage.input_tokens)
        fresh = usage.input_tokens - cached
        return fresh * self.input + cached * self.cached + usage.output_tokens * self.output


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A chat model from LiteLLM's list."""

    id: str
    provider: str
    context_window: int | None = None
    supports_tools: bool | None = None
    supports_reasoning: bool | None = None
    price: Price | None = None
    retired: bool = False
    """Whether its deprecation date has passed."""


@functools.cache
def known() -> Mapping[str, KnownModel]:
    """Return the list's chat models by id; empty, with a warning, if it cannot be read."""
    try:
        entries = orjson.loads(_path().read_bytes())
        today = datetime.now(UTC).date().isoformat()
        return {
            name: _model(name, entry, today)
            for name, entry in entries.items()
            if isinstance(entry, dict) and entry.get("mode") == "chat"
        }
    except (OSError, ValueError, AttributeError) as error:
        log.warning("LiteLLM's list of models cannot be read: %s", type(error).__name__)
        return {}


def is_read() -> bool:
    return known.cache_info().currsize > 0


@functools.cache
def providers() -> frozenset[str]:
    """Return the providers of all listed models."""
    return frozenset(model.provider for model in known().values())


def price(model_id: str) -> Price | None:
    found = known().get(model_id)
    return found.price if found else None


def cost(model_id: str, usage: Usage) -> Decimal | None:
    """Return an answer's cost in US dollars, if the list knows the model."""
    found = price(model_id)
    return found.of(usage) if found else None


def _path() -> Path:
    spec = importlib.util.find_spec("litellm")  # finds the package without running it
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError
    return Path(spec.submodule_search_locations[0]) / FILE


def _model(name: str, entry: Mapping[str, Any], today: str) -> KnownModel:
    window = entry.get("max_input_tokens")
    return KnownModel(
        name,
        str(entry.get("litellm_provider", "")),
        window if isinstance(window, int) and window > 0 else None,
        bool(entry.get("supports_function_calling")),
        bool(entry.get("supports_reasoning")),
        _price(entry),
        retired=str(entry.get("deprecation_date") or today) < today,
    )


def _price(entry: Mapping[str, Any]) -> Price | None:
    plain = _rates(entry, "")
    if plain is None:
        return None
    for thousands in _THRESHOLDS:
        if long := _rates(entry, f"_above_{thousands}k_tokens"):
            return replace(plain, long_from=thousands * 1000, long=long)
    return plain


def _rates(entry: Mapping[str, Any], size: str) -> Price | None:
    asked = entry.get(f"input_cost_per_token{size}")
    answered = entry.get(f"output_cost_per_token{size}")
    if asked is None or answered is None:
        return None
    cached = entry.get(f"cache_read_input_token_cost{size}")
    return Price(_exact(asked), _exact(answered), _exact(asked if cached is None else cached))


def _exact(dollars: float) -> Decimal:
    return Decimal(str(dollars))  # the decimal as written, not its binary approximation
