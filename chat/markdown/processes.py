"""The template process and its workers, seen from the process that asks them."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import chat
from chat.markdown.jobs import CODE_SECONDS, receive, send

log = logging.getLogger(__name__)

_ROOT = Path(chat.__file__).parent.parent
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""Of the environment: the rest of it has keys, and what runs there reads what strangers wrote."""
PAUSE = 10.0
"""Seconds until another start is tried, where one has failed."""
FAREWELL = 2.0
"""Seconds in which the template ends by itself."""
PATIENCE = 30.0
"""Seconds of silence after which a worker is given up. It is killed long before that, unless the
machine is busy or somebody has stopped it."""


class NotStarted(Exception):
    """There is no process or no memory for a worker."""


class Ended(Exception):
    """A worker has died at its job."""

    def __init__(self, block: int | None, *, is_early: bool) -> None:
        super().__init__()
        self.block = block
        """The code block that it was at; None: it was at none."""
        self.is_early = is_early
        """Before any share of time can have been used up: it need not be the job's fault."""


class Stuck(Exception):
    """A worker does not answer, though it takes no time of a processor."""


class Worker:
    """One thread's."""

    def __init__(self, connection: socket.socket) -> None:
        """Raises `EOFError` and `OSError`: it has not come to life."""
        self._connection = connection
        connection.settimeout(PATIENCE)
        self._receive()

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """The answer to a job. Raises `Ended` and `Stuck`; then there is no such worker any more."""
        block: int | None = None
        began = monotonic()
        try:
            send(self._connection, job)
            while "block" in (answer := self._receive()):
                block = answer["block"]
        except TimeoutError:
            self.close()
            raise Stuck from None
        except (EOFError, OSError):
            self.close()
            raise Ended(block, is_early=monotonic() - began < CODE_SECONDS) from None
        return answer

    def _receive(self) -> dict[str, Any]:
        answer: dict[str, Any] = receive(self._connection)
        return answer

    def close(self) -> None:
        """It ends as soon as it looks."""
        self._connection.close()


class Template:
    """What workers are forked from: it has loaded what they need, and has one thread."""

    def __init__(self) -> None:
        self._starting = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._has_worked = False
        self._has_complained = False
        """Since a worker was had."""
        self._next_try = 0.0
        self._closed = False

    def worker(self) -> Worker:
        """A new one. Raises `NotStarted`."""
        if monotonic() < self._next_try:
            raise NotStarted
        try:
            try:
                found = self._fork()
            except (OSError, EOFError):
                if not self._has_worked:
                    raise
                with self._starting:
                    self._stop()  # the template was killed
                found = self._fork()
        except (OSError, EOFError) as error:
            self._complain(error)
            raise NotStarted from None
        self._has_worked, self._has_complained = True, False
        return found

    def _fork(self) -> Worker:
        with _pair() as (ours, theirs):
            with self._starting:
                if self._closed:
                    raise NotStarted
                socket.send_fds(self._to_template(), [b"w"], [theirs.fileno()])
            theirs.close()  # else its end would not be seen
            return Worker(ours)

    def _complain(self, error: Exception) -> None:
        self._next_try = monotonic() + PAUSE
        if not self._has_complained:
            self._has_complained = True
            why = "it ended at once" if isinstance(error, EOFError) else str(error)
            log.error("Answers are shown as plain text: no process can be had for them (%s).", why)

    def _to_template(self) -> socket.socket:
        """Start it, unless it runs."""
        if (
            self._requests is not None
            and self._process is not None
            and self._process.poll() is None
        ):
            return self._requests
        self._stop()
        with _pair() as (ours, theirs):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chat.markdown.worker"],
                cwd=_ROOT,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C at the terminal is for who asks
            )
        self._requests = ours
        return ours

    def close(self) -> None:
        """End it for good, also for who is about to ask for a worker."""
        with self._starting:
            self._closed = True
            self._stop()

    def _stop(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(FAREWELL)
            self._process.kill()  # stopped, or lost in thought
            self._process.wait()
            self._process = None


@contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: ours stays if all goes well, theirs is passed on."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            yield ours, theirs
        except BaseException:
            ours.close()
            raise
