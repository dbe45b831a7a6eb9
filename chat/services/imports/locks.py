"""Who imports a conversation at this moment: a lock says so that goes with its process.

A half conversation whose lock is free is a dead process's. Nobody has to show a heartbeat, and no
clock is asked. On SQLite it is a file beside the database, on PostgreSQL a lock of the session.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from time import monotonic, sleep, time
from uuid import UUID

from django.db import connection

_OURS = 7_410_322
"""Of PostgreSQL's advisory locks: the first of two numbers; any that nobody else uses."""
_INFIX = "-importing-"
_PAUSE = 0.01
_OLD = 3600
"""Seconds after which a file that nobody holds is a dead process's."""


@contextmanager
def alone_with(conversation_id: UUID, *, patience: float = 0) -> Iterator[bool]:
    """Be the one who brings in this conversation. False: somebody else is, for `patience` seconds."""
    lock = _locked_row if connection.vendor == "postgresql" else _locked_file
    deadline = monotonic() + patience
    while True:
        with lock(conversation_id) as is_mine:
            if is_mine or monotonic() > deadline:
                yield is_mine
                return
        sleep(_PAUSE)


def tidy() -> None:
    """Remove the files of those that were killed. What is left of a half conversation is hidden."""
    if connection.vendor == "postgresql":
        return
    base = Path(connection.settings_dict["NAME"])
    for path in base.parent.glob(f"{escape(base.name)}{_INFIX}*"):
        with suppress(FileNotFoundError):
            if time() - path.stat().st_mtime > _OLD and (file := _taken(path)) is not None:
                path.unlink()
                os.close(file)


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
    path = Path(f"{connection.settings_dict['NAME']}{_INFIX}{conversation_id.hex}")
    file = _taken(path)
    try:
        yield file is not None
    finally:
        if file is not None:
            path.unlink()
            os.close(file)


def _taken(path: Path) -> int | None:
    """The file, locked. None: somebody else has it."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    if _is_locked(file) and _is_still(file, path):
        return file
    os.close(file)
    return None


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
