"""What models turned out to hold: servers name it when they are given more."""

from __future__ import annotations

import time

from chat.llm.failures.learned import KEPT_FOR

_learned: dict[str, tuple[int, float]] = {}


def learn(source: str, tokens: int) -> None:
    """The server and model of `source` refused more than so many tokens: kept like a demand."""
    _learned[source] = (tokens, time.monotonic() + KEPT_FOR)


def known(source: str, listed: int | None) -> int | None:
    """How many tokens a model holds: what it said itself lately, else what lists say of it."""
    tokens, until = _learned.get(source, (listed, 0.0))
    return tokens if time.monotonic() < until else listed
