"""Context windows learned from servers, which name them when they refuse a longer request."""

from __future__ import annotations

import time

from chat.llm.failures.learned import KEPT_FOR

_learned: dict[str, tuple[int, float]] = {}


def learn(source: str, tokens: int) -> None:
    """Remember for `KEPT_FOR` seconds that `source` refused more than this many tokens."""
    _learned[source] = (tokens, time.monotonic() + KEPT_FOR)


def known(source: str, listed: int | None) -> int | None:
    """Return a model's context window in tokens: recently learned, else as `listed`."""
    tokens, until = _learned.get(source, (listed, 0.0))
    return tokens if time.monotonic() < until else listed
