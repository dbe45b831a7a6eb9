"""Ending a long command between two of its steps at Ctrl+C or SIGTERM, with a true report."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self

from chat.management.signals import SIGNALS, StopRequests


class Stop:
    """While entered, the first request to stop only sets a flag; a second one ends at once."""

    def __init__(self) -> None:
        self.signal = 0
        self._requests = StopRequests()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_asked:  # else the command is ending, and must not be interrupted
            self._restore()

    @property
    def is_asked(self) -> bool:
        return bool(self.signal)

    @property
    def status(self) -> int:
        """The exit status that tells a shell which signal it was."""
        return 128 + self.signal

    def _handle(self, number: int, frame: FrameType | None) -> None:
        request = self._requests.count()
        if request == 1:
            self.signal = number
        elif request:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
