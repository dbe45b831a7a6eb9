"""A command's progress, shown on a terminal only."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Self

SECONDS = 0.2
"""Seconds between two updates."""


class Progress:
    """One line on standard error, rewritten as the command proceeds and erased at its end."""

    def __init__(self, verb: str, total: int | None = None, what: str = "conversations") -> None:
        self._verb, self._what = verb, what
        self._of = "" if total is None else f" of {total:,}"
        self._next = 0.0 if sys.stderr.isatty() else float("inf")
        self._is_shown = False

    def of(self, done: int, total: int) -> None:
        """Show `done` of a total that is known only now."""
        self._of = f" of {total:,}"
        self.at(min(done, total))

    def at(self, done: int) -> None:
        if (now := monotonic()) >= self._next:
            self._next, self._is_shown = now + SECONDS, True
            line = f"\r{done:,}{self._of} {self._what} {self._verb} "
            print(line, end="", file=sys.stderr, flush=True)  # noqa: T201  # a terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201  # as above
