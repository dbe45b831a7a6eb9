"""The identity of this process, and its claim to the data directory.

A server on SQLite holds a lock on the data directory: a server that gets it knows that every older
one is dead. On PostgreSQL several servers may run; the lock file then names the server that had
this directory before. That one's turns are free at once, while the others show a heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO

from django.db import connection

identity = uuid.uuid4().hex
"""The id of this process, new at each start."""

_held: IO[str] | None = None


class DataDirectoryBusy(Exception):
    """Another server has the data directory, and the database allows only one."""


def claim(directory: Path) -> None:
    """Lock the data directory for this process's life. A second call changes nothing.

    Raises `DataDirectoryBusy` if another server on SQLite has it. On PostgreSQL a busy directory
    is shared.
    """
    global _held
    if _held is not None:
        return
    file = (directory / "talos.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        if is_alone():
            raise DataDirectoryBusy(
                f"Another Talos server uses {directory}. Stop it first, or choose another "
                "directory with TALOS_DATA_DIR; several servers need PostgreSQL (DATABASE_URL)."
            ) from None
        return
    _held = file


def take_over() -> str | None:
    """Sign as the server that has the data directory. Returns the one before it, if known.

    Nothing is known of earlier servers if the directory is shared.
    """
    if _held is None:
        return None
    _held.seek(0)
    before = _held.read().strip()
    _held.truncate(0)
    _held.write(identity)
    _held.flush()
    os.fsync(_held.fileno())
    return before or None


def is_alone() -> bool:
    """Whether the database allows no other server beside this one."""
    return connection.vendor == "sqlite"


def release() -> None:
    """Release the data directory. The end of the process does the same."""
    global _held
    if _held is not None:
        _held.close()
        _held = None
