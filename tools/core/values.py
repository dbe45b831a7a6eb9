"""Collect the scalars of a JSON value of any size.

Works level by level: a step of Python for each of half a million values would block the event loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain


class TooDeep(Exception):
    """Objects and lists are nested deeper than allowed."""


def scalars(value: object, levels: int) -> tuple[list[str], list[float]]:
    """Return all texts in a value, keys included, and all floats. Raises `TooDeep`."""
    texts: list[str] = []
    floats: list[float] = []
    level: list[object] = [value]
    while True:
        kinds = set(map(type, level))
        if str in kinds:
            texts += [each for each in level if isinstance(each, str)]
        if float in kinds:
            floats += [each for each in level if isinstance(each, float)]
        if kinds.isdisjoint((dict, list)):
            return texts, floats
        if levels == 0:
            raise TooDeep
        levels -= 1
        texts += _keys(level) if dict in kinds else ()
        level = _inner(level)


def _keys(level: Iterable[object]) -> Iterable[str]:
    return chain.from_iterable(each for each in level if isinstance(each, dict))


def _inner(level: Iterable[object]) -> list[object]:
    return list(
        chain.from_iterable(
            each.values() if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        )
    )
