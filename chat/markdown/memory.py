"""What took too long, for an hour."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from time import time
from typing import Generic, TypeVar

from chat.markdown.jobs import HOUR, is_over

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 1000
"""Things noted; the oldest of more are forgotten."""


class Memory(Generic[K, V]):
    """Not locked: who has it holds a lock."""

    def __init__(self) -> None:
        self._noted: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def note(self, key: K, value: V) -> float:
        """Returns the time until which it holds."""
        until = time() + HOUR
        self._noted[key] = until, value
        self._noted.move_to_end(key)
        if len(self._noted) > MOST:
            self._noted.popitem(last=False)
        return until

    def find(self, key: K) -> tuple[float, V] | None:
        """What was noted, and until when it holds."""
        found = self._noted.get(key)
        if found is not None and is_over(found[0]):
            del self._noted[key]
            return None
        return found

    def __contains__(self, key: K) -> bool:
        return self.find(key) is not None
