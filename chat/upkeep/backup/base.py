"""Shared by making and restoring a backup: errors, drafts and stopping."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import DatabaseError

StopAsked = Callable[[], bool]
"""Tells whether a person has asked to stop."""
Tell = Callable[[int, int], None]
"""Called with the bytes written so far, and the total."""
_COMPANIONS = ("-journal", "-wal", "-shm")
STEPS = 50_000
"""SQLite instructions between two checks whether to stop: some milliseconds."""


class BackupError(Exception):
    """Says what is wrong and what to do. The target is unchanged."""


class Stopped(BackupError):
    """Raised when a person stopped it."""


@contextmanager
def open_draft(path: Path, stop: StopAsked) -> Iterator[sqlite3.Connection]:
    """Open a draft without journal or syncs: nobody else uses it before it gets its final name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.set_progress_handler(lambda: int(stop()), STEPS)
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("PRAGMA synchronous=OFF")
        yield database


_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")


@contextmanager
def explain_errors(source: Path, target: Path) -> Iterator[None]:
    """Turn a full disk, a forbidden directory or a broken file into a `BackupError` that names it."""
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
    """Remove SQLite's files beside a draft: an old journal would be replayed into a new one."""
    for end in _COMPANIONS:
        draft.with_name(draft.name + end).unlink(missing_ok=True)


def publish_draft(draft: Path, target: Path) -> None:
    """Give a finished draft its final name, atomically."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
