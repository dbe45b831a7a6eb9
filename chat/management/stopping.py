"""Ctrl+C and SIGTERM end a long command between two of its steps, with a true report."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any, Self

from chat.management.signals import DOUBLED, SIGNALS


class Stop:
    """While entered, the first signal only asks for the end; a second wish to stop ends at once."""

    def __init__(self) -> None:
        self.signal = 0
        self._since = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        if not self.asked:  # else the command is about to end, and must not be interrupted in that
            self._restore()

    @property
    def asked(self) -> bool:
        return bool(self.signal)

    @property
    def status(self) -> int:
        """The exit status that tells a shell of the signal."""
        return 128 + self.signal

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.signal:
            self.signal, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > DOUBLED:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
