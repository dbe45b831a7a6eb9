"""Who imports a conversation at this moment: a lock says so that goes with its process.

A half conversation whose lock is free is a dead process's. Nobody has to show a heartbeat, and no
clock is asked. On SQLite it is a file beside the database, on PostgreSQL a lock of the session.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.db import connection

_OURS = 7_410_322
"""Of PostgreSQL's advisory locks: the first of two numbers; any that nobody else uses."""


@contextmanager
def alone_with(conversation_id: UUID) -> Iterator[bool]:
    """Be the one who brings in this conversation. False: somebody else is."""
    with (_locked_row if connection.vendor == "postgresql" else _locked_file)(
        conversation_id
    ) as it:
        yield it


@contextmanager
def _locked_row(conversation_id: UUID) -> Iterator[bool]:
    key = int.from_bytes(conversation_id.bytes[-4:], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_OURS, key])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_OURS, key])


@contextmanager
def _locked_file(conversation_id: UUID) -> Iterator[bool]:
    path = Path(f"{connection.settings_dict['NAME']}-importing-{conversation_id.hex}")
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        is_mine = _is_locked(file) and _is_still(file, path)
        try:
            yield is_mine
        finally:
            if is_mine:
                path.unlink()
    finally:
        os.close(file)


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(file: int, path: Path) -> bool:
    """Whoever had the lock before may have removed the file since it was opened."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
