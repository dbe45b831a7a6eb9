"""A lock per conversation under import, which its process releases by ending.

A half conversation whose lock is free belongs to a dead process, so neither a heartbeat nor a clock
is needed. On SQLite the lock is a file beside the database, on PostgreSQL one of the session.
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
"""The first of two numbers of our PostgreSQL advisory locks; any that nobody else uses."""
_INFIX = "-importing-"
_PAUSE = 0.01
_OLD = 3600
"""Seconds after which a lock file that nobody holds belongs to a dead process."""


@contextmanager
def alone_with(conversation_id: UUID, *, patience: float = 0) -> Iterator[bool]:
    """Take the lock of a conversation. Yields False if another process holds it for `patience` seconds."""
    lock = _locked_row if connection.vendor == "postgresql" else _locked_file
    deadline = monotonic() + patience
    while True:
        with lock(conversation_id) as is_mine:
            if is_mine or monotonic() > deadline:
                yield is_mine
                return
        sleep(_PAUSE)


def tidy() -> None:
    """Remove lock files of killed imports; their half conversations are hidden anyway."""
    if connection.vendor == "postgresql":
        return
    base = Path(connection.settings_dict["NAME"])
    for path in base.parent.glob(f"{escape(base.name)}{_INFIX}*"):
        with suppress(FileNotFoundError):
            if time() - path.stat().st_mtime > _OLD and (file := _take(path)) is not None:
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
    file = _take(path)
    try:
        yield file is not None
    finally:
        if file is not None:
            path.unlink()
            os.close(file)


def _take(path: Path) -> int | None:
    """Open and lock the file. Returns None if another process holds it."""
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
    """Whether the path still names the open file: its last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
