"""The signals that stop a server or a command.

One request to stop often arrives twice: a terminal and systemd signal the whole process group, and
GNU make or a wrapper, which gets the signal too, passes it on.
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
"""Seconds within which another signal repeats the same request."""
SOON = 0.01
"""Seconds until a lost signal is sent again."""


class Terminated(KeyboardInterrupt):
    """SIGTERM in a command, which ends as with Ctrl+C, so that nothing half done is left."""


def number_of(stopped: KeyboardInterrupt) -> int:
    """Return the number of the signal that stopped a command."""
    return signal.SIGTERM if isinstance(stopped, Terminated) else signal.SIGINT


class StopRequests:
    """Tells a new request to stop from a signal that arrives twice."""

    def __init__(self) -> None:
        self._count = 0
        self._since: float | None = None

    def count(self) -> int:
        """Count the signal that arrives now. Return its request's number, or 0 if it is a repeat."""
        now = time.monotonic()
        if self._since is not None and now - self._since <= DOUBLED:
            return 0
        self._since = now
        self._count += 1
        return self._count

    def expect_again(self) -> None:
        """Count the next signal, even if it comes at once."""
        self._since = None


class CommandSignals:
    """Signals to a command: they end it at once while it loads, later through an exception."""

    def __init__(self) -> None:
        self.number = 0
        """The signal that stops the command; 0 until one arrives."""
        self._is_loaded = False
        self._requests = StopRequests()
        sys.unraisablehook = self._unraisable
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` and `&` have it
                signal.signal(number, self._handle)
        atexit.register(_ignore)

    def finish_loading(self) -> None:
        """From now on, raise an exception, so that the command can clean up."""
        self._is_loaded = True

    def _handle(self, number: int, _frame: object) -> None:
        if not self._is_loaded:
            _end(number, "Stopped.\n")
        if self._requests.count():
            self.number = number
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    def _unraisable(self, error: sys.UnraisableHookArgs) -> None:
        """Send the signal again if its exception was swallowed, in an object's `__del__`, say.

        An object left half made by it may also fail in its own `__del__`: that is not reported.
        """
        if isinstance(error.exc_value, KeyboardInterrupt):
            self._requests.expect_again()
            Timer(SOON, os.kill, (os.getpid(), self.number)).start()
        elif not self.number:
            sys.__unraisablehook__(error)


class StopSignals:
    """Signals to a server: the first request drains it, a second one ends the process at once."""

    def __init__(self) -> None:
        self.ask: Callable[[], object] | None = None
        """Called at the first request; None: nothing to finish yet, so the process ends at once."""
        self._requests = StopRequests()

    def take(self) -> None:
        """Handle signals while no event loop does that, with `loop.add_signal_handler`."""
        for number in SIGNALS:
            signal.signal(number, self.handle)
        atexit.register(_ignore)

    def handle(self, number: int, _frame: object = None) -> None:
        if self.ask is None:
            _end(number, "Stopped before it was ready.\n")
            return
        request = self._requests.count()
        if request == 1:
            self.ask()
        elif request:
            _end(number)


def _end(number: int, words: str = "") -> None:
    """End the process at once: as safe as SIGKILL, which has to be safe."""
    os.write(2, words.encode())
    os._exit(128 + number)


def _ignore() -> None:
    """Ignore signals at exit: Python restores the fatal handlers last, when all threads have ended."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
