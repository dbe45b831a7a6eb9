"""Ctrl+C and SIGTERM end a long command between two of its steps, with a true report."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self


class Stop:
    """While entered, the first signal only asks for the end; a second one ends at once."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in self.SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    @property
    def asked(self) -> bool:
        return bool(self.signal)

    @property
    def status(self) -> int:
        """The exit status that tells a shell of the signal."""
        return 128 + self.signal

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
