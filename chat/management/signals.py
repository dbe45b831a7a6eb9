"""The signals that stop a server or a command, and which of them count.

One wish to stop often comes twice: a terminal and systemd tell the whole process group, and GNU
make or a wrapper, having been told too, passes it on.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from collections.abc import Callable
from threading import Timer

SIGNALS = (signal.SIGINT, signal.SIGTERM)
DOUBLED = 1.0
"""Seconds within which another signal is the same wish."""
SOON = 0.01
"""Seconds until a signal comes again that has got lost."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, in a command: it ends as with Ctrl+C, so that nothing half is left behind."""


def number_of(stopped: KeyboardInterrupt) -> int:
    """The signal that stopped a command."""
    return signal.SIGTERM if isinstance(stopped, Terminated) else signal.SIGINT


class CommandSignals:
    """Those of a command: while it is being loaded they end it at once, later as an exception."""

    def __init__(self) -> None:
        self.number = 0
        """The one that stops the command; 0: none has come."""
        self._is_loaded = False
        self._since = -DOUBLED
        sys.unraisablehook = self._unraisable
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` and `&` have it
                signal.signal(number, self._come)
        atexit.register(_ignore)

    def loaded(self) -> None:
        """From now on there may be something to put in order."""
        self._is_loaded = True

    def _come(self, number: int, _frame: object) -> None:
        if not self._is_loaded:
            _end(number, "Stopped.\n")
        now = time.monotonic()
        if now - self._since > DOUBLED:
            self._since, self.number = now, number
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    def _unraisable(self, error: sys.UnraisableHookArgs) -> None:
        """The exception may have come where none can leave: in an object's end, say. An object that
        was never finished, because of it, may have trouble with its end, too."""
        if isinstance(error.exc_value, KeyboardInterrupt):
            self._since = -DOUBLED
            Timer(SOON, os.kill, (os.getpid(), self.number)).start()
        elif not self.number:
            sys.__unraisablehook__(error)


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
