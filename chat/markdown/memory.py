"""Remembers for an hour which texts took too long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from time import time
from typing import Generic, TypeVar

from chat.markdown.jobs import HOUR, is_over

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 1000
"""Most notes; the oldest are forgotten first."""


class Memory(Generic[K, V]):
    """Notes that expire. Not thread-safe: the owner holds a lock."""

    def __init__(self) -> None:
        self._noted: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def note(self, key: K, value: V) -> float:
        """Note a value. Returns when it expires."""
        until = time() + HOUR
        self._noted[key] = until, value
        self._noted.move_to_end(key)
        if len(self._noted) > MOST:
            self._noted.popitem(last=False)
        return until

    def find(self, key: K) -> tuple[float, V] | None:
        """Return a noted value, and when it expires."""
        found = self._noted.get(key)
        if found is not None and is_over(found[0]):
            del self._noted[key]
            return None
        return found

    def __contains__(self, key: K) -> bool:
        return self.find(key) is not None
