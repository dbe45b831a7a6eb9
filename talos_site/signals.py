"""The signals that stop a server, and which of them count.

One wish to stop often comes twice: a terminal and systemd tell the whole process group, and GNU
make or a wrapper, having been told too, passes it on.
"""

from __future__ import annotations

import atexit
import os
import signal
import time
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM)
DOUBLED = 1.0
"""Seconds within which another signal is the same wish."""


class StopSignals:
    """The first one asks for the end; one that is a wish of its own ends the process at once."""

    def __init__(self) -> None:
        self.ask: Callable[[], object] | None = None
        """What the first one does; None: there is nothing to finish yet, so it ends the process."""
        self._since: float | None = None

    def take(self) -> None:
        """Take them while no event loop does, with `loop.add_signal_handler` and `come`."""
        for number in SIGNALS:
            signal.signal(number, self.come)
        atexit.register(_ignore)

    def come(self, number: int, _frame: object = None) -> None:
        if self.ask is None:
            _end(number, "Stopped before it was ready.\n")
        elif self._since is None:
            self._since = time.monotonic()
            self.ask()
        elif time.monotonic() - self._since > DOUBLED:
            _end(number)


def _end(number: int, words: str = "") -> None:
    """As safe as SIGKILL, which has to be safe. What was being written to stderr is on its way."""
    os.write(2, words.encode())
    os._exit(128 + number)


def _ignore() -> None:
    """Python puts back what kills as its last step; all threads have ended by now."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
