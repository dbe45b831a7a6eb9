"""What every command of `manage.py` has in common: it ends with a sentence, and no traceback of what
is no fault of the program.
"""

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

        def loaded(*args: Any, **options: Any) -> str | None:
            self._signals.loaded()
            return handle(*args, **options)

        command.handle = loaded  # type: ignore[method-assign]  # checks, too, import much before
        return command


def run(arguments: Sequence[str], signals: CommandSignals) -> int:
    """Run a command; its exit status."""
    _open_streams()
    try:
        try:
            _CommandLine(arguments, signals).execute()
        finally:
            sys.stdout.flush()  # here what goes wrong with it can still be said
    except KeyboardInterrupt as stopped:
        return _ended("Stopped.", 128 + number_of(stopped))
    except BrokenPipeError:  # as `head` does: there is nobody to be told
        discard_output()
        return 128 + signal.SIGPIPE
    except Exception as error:
        if signals.number:  # in a callback it has become an error of who called
            return _ended("Stopped.", 128 + signals.number)
        if (words := _words(error)) is None:
            raise
        return _ended(words, 1)
    return 0


def _open_streams() -> None:
    """Whoever starts a command may have closed them: `>&-`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(nowhere, "w", closefd=False))  # noqa: SIM115  # until the end


def _words(error: Exception) -> str | None:
    """What is no fault of the program, in a sentence."""
    if isinstance(error, ImproperlyConfigured):
        return f"Talos cannot start. {error}"
    if isinstance(error, EOFError):
        return "The command asks for an answer, and there is no input to read one from."
    if isinstance(error, DatabaseError | InterfaceError):
        return reasons.explained(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        discard_output()
        return f"{error.filename or 'The output'} cannot be written: {error.strerror}."
    return None


def _ended(words: str, status: int) -> int:
    print(words, file=sys.stderr)  # noqa: T201  # for the person at the terminal
    return status


def discard_output() -> None:
    """Nobody takes what is written, also not what Python still writes as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
