"""Which process this is, and whether it may have the data directory.

A server on SQLite holds a lock on the data directory: whoever gets it knows that every older
owner is dead. On PostgreSQL several servers may run; the lock file then names the server that had
this directory before, whose turns are free at once, while others show a heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO

from django.db import connection

identity = uuid.uuid4().hex
"""Of this process, new at each start."""

_held: IO[str] | None = None


class DataDirectoryBusy(Exception):
    """Another server has the data directory, and the database allows only one."""


def claim(directory: Path) -> None:
    """Lock the data directory for this process's life. A second call changes nothing.

    Raises `DataDirectoryBusy` when another server on SQLite has it. On PostgreSQL a busy directory
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
    """Sign as the server that has the data directory; the one that had it before, if known.

    Where the directory is shared, nothing is known of the servers before.
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
    """Give the data directory back. The end of the process does the same."""
    global _held
    if _held is not None:
        _held.close()
        _held = None
