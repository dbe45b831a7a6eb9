"""What making a backup and restoring one have in common."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import DatabaseError

StopAsked = Callable[[], bool]
"""Whether a person wants it to end."""
Tell = Callable[[int, int], None]
"""Is told how many bytes are written, of how many."""
_COMPANIONS = ("-journal", "-wal", "-shm")
STEPS = 50_000
"""Of SQLite's machine between two questions whether to stop: some milliseconds."""


class BackupError(Exception):
    """What is wrong, and what to do; the target is as it was."""


class Stopped(BackupError):
    """A person stopped it."""


@contextmanager
def open_draft(path: Path, stop: StopAsked) -> Iterator[sqlite3.Connection]:
    """A draft of ours: nobody else has it open, and until it has its name nobody needs it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.set_progress_handler(lambda: int(stop()), STEPS)
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("PRAGMA synchronous=OFF")
        yield database


_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")


@contextmanager
def explain_errors(source: Path, target: Path) -> Iterator[None]:
    """A full disk, a forbidden directory or a broken file, in words that name which it is."""
    try:
        yield
    except (sqlite3.Error, DatabaseError) as error:
        if "interrupted" in str(error):
            raise Stopped("Stopped.") from None
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        if str(getattr(cause, "sqlite_errorname", "")).startswith(_NO_ROOM):
            raise BackupError(f"{target} cannot be written: the disk is full.") from None
        raise BackupError(f"{source}: {error}.") from None
    except OSError as error:
        raise BackupError(f"{error.filename or target}: {error.strerror or error}.") from None


def forget_companions(draft: Path) -> None:
    """What SQLite may have put beside a draft: a journal would be played back into the next."""
    for end in _COMPANIONS:
        draft.with_name(draft.name + end).unlink(missing_ok=True)


def settle(draft: Path, target: Path) -> None:
    """Give a finished draft its name: whatever happens, there is the whole file or none."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
