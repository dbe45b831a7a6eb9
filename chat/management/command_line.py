"""Running a command of `manage.py`: errors that are not bugs end it with a sentence, not a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError

from chat.db import reasons
from chat.management.signals import CommandSignals, number_of

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _CommandLine(ManagementUtility):
    def __init__(self, arguments: Sequence[str], signals: CommandSignals) -> None:
        super().__init__(list(arguments))
        self._signals = signals

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)
        handle = command.handle

        def handle_loaded(*args: Any, **options: Any) -> str | None:
            self._signals.finish_loading()
            return handle(*args, **options)

        command.handle = handle_loaded  # type: ignore[method-assign]  # after the checks, which import a lot
        return command


def run(arguments: Sequence[str], signals: CommandSignals) -> int:
    """Run a command and return its exit status."""
    _open_streams()
    try:
        try:
            _CommandLine(arguments, signals).execute()
        finally:
            sys.stdout.flush()  # an error can still be reported here
    except KeyboardInterrupt as stopped:
        return _report("Stopped.", 128 + number_of(stopped))
    except BrokenPipeError:  # as with `head`: nobody reads a report
        discard_output()
        return 128 + signal.SIGPIPE
    except Exception as error:
        if signals.number:  # in a callback, the interrupt has become an error of the caller
            return _report("Stopped.", 128 + signals.number)
        if (words := _explain(error)) is None:
            raise
        return _report(words, 1)
    return 0


def _open_streams() -> None:
    """Open streams that the shell closed with `>&-`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(nowhere, "w", closefd=False))  # noqa: SIM115  # stays open


def _explain(error: Exception) -> str | None:
    """Return a sentence for an error that is not a bug; None for all others."""
    if isinstance(error, ImproperlyConfigured):
        return f"Talos cannot start. {error}"
    if isinstance(error, EOFError):
        return "The command needs an answer, but there is no input to read it from."
    if isinstance(error, DatabaseError | InterfaceError):
        return reasons.explain(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        discard_output()
        return f"{error.filename or 'The output'} cannot be written: {error.strerror}."
    return None


def _report(words: str, status: int) -> int:
    print(words, file=sys.stderr)  # noqa: T201  # for the person at the terminal
    return status


def discard_output() -> None:
    """Discard further output, including what Python writes as it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
