"""What models turned out to hold: servers name it when they are given more."""

from __future__ import annotations

_learned: dict[str, int] = {}


def learn(source: str, tokens: int) -> None:
    """The server and model of `source` refused more than so many tokens."""
    _learned[source] = tokens


def known(source: str, listed: int | None) -> int | None:
    """How many tokens a model holds: what it said itself, else what lists say of it."""
    return _learned.get(source, listed)
