"""The template process and its workers, as the server uses them."""

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
"""Environment variables that are passed on. Others hold keys, and workers read hostile texts."""
PAUSE = 10.0
"""Seconds after a failed start until the next attempt."""
FAREWELL = 2.0
"""Seconds that the template has to end by itself."""
PATIENCE = 30.0
"""Seconds of silence after which a worker is given up. The kernel kills it long before that, unless
the machine is busy or somebody has stopped the process."""


class NotStarted(Exception):
    """A worker could not be started: no process or no memory is available."""


class Ended(Exception):
    """A worker died while rendering."""

    def __init__(self, block: int | None, *, is_early: bool) -> None:
        super().__init__()
        self.block = block
        """The code block that it was highlighting; None: none."""
        self.is_early = is_early
        """Before any time limit can have been reached: the job need not be the cause."""


class Stuck(Exception):
    """A worker does not answer, although it uses no processor time."""


class Worker:
    """A worker, used by one thread."""

    def __init__(self, connection: socket.socket) -> None:
        """Raises `EOFError` and `OSError` if the worker did not start."""
        self._connection = connection
        connection.settimeout(PATIENCE)
        self._receive()

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a job. Raises `Ended` and `Stuck`, after which the worker is gone."""
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
        """Close the connection, on which the worker ends."""
        self._connection.close()


class Template:
    """The process from which workers are forked: it has loaded all modules and has one thread."""

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
        """Start a worker. Raises `NotStarted`."""
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
            theirs.close()  # or else its end would not be noticed
            return Worker(ours)

    def _complain(self, error: Exception) -> None:
        self._next_try = monotonic() + PAUSE
        if not self._has_complained:
            self._has_complained = True
            why = "it ended at once" if isinstance(error, EOFError) else str(error)
            log.error("Answers are shown as plain text: no process can be had for them (%s).", why)

    def _to_template(self) -> socket.socket:
        """Start the template, unless it runs."""
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
                start_new_session=True,  # Ctrl+C at the terminal is for the server
            )
        self._requests = ours
        return ours

    def close(self) -> None:
        """End the template for good, even if a worker is about to be requested."""
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
            self._process.kill()  # it was stopped, or hangs
            self._process.wait()
            self._process = None


@contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Make both ends of a connection: ours stays open if all goes well, theirs is passed on."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            yield ours, theirs
        except BaseException:
            ours.close()
            raise
