"""The two lanes to the database from asynchronous code.

All writes of a process go through one thread, in order: SQLite has one writer anyway, and a write
that queues here does not sleep in SQLite's busy handler. Reads have a few threads of their own.
Each thread keeps its connection open: closing SQLite's last one would checkpoint after every write.

A database may be locked by another program, full, read-only or away. The caller gets the error
after at most `PATIENCE`; `explain` puts it into words.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection

from chat.db import reasons
from chat.db.postgresql import OutcomeUnknown

P = ParamSpec("P")
R = TypeVar("R")

UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
"""Trouble of the database itself, which may pass. Its other errors are bugs of ours."""

PATIENCE = 5.0
"""Seconds that a write waits in all: in the queue, then for another program's lock on SQLite."""
LEAST_PATIENCE = 0.1
BUSY_TIMEOUT = 0.01
"""SQLite's own busy timeout (seconds; five attempts) before we retry in `until_free`."""
CHECKPOINT_FROM = 4 * 1024 * 1024
"""Size of SQLite's write-ahead log, in bytes, from which it is checkpointed."""
LATEST_CHECKPOINT = 64 * 1024 // 4
"""Pages of 4 KB at which the writer itself checkpoints, which holds it up for 0.1 s or more."""
IDLE = 1.0
"""Seconds without use after which a connection to PostgreSQL may have broken unnoticed."""

_writer = ThreadPoolExecutor(1, thread_name_prefix="talos-writer")
_readers = ThreadPoolExecutor(4, thread_name_prefix="talos-reader")


async def write(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function`, which opens its own transaction, in the process's one writer thread."""
    return await _run(_writer, partial(_patient, monotonic(), partial(function, *args, **kwargs)))


async def read(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function`, which only reads, beside the writer."""
    return await _run(_readers, partial(_again_if_broken, partial(function, *args, **kwargs)))


async def _run(executor: Executor, job: Callable[[], R]) -> R:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, _guard, job)


async def outcome(unknown: OutcomeUnknown) -> bool:
    """Wait until PostgreSQL says whether a write was committed. If so, run its `on_commit` hooks."""
    while True:
        try:
            return await _run(_writer, partial(was_committed, unknown))
        except UNAVAILABLE:
            await asyncio.sleep(IDLE)


def resolve_outcome(unknown: OutcomeUnknown) -> None:
    """Do the same in a thread, for a caller that cannot wait."""

    def wait() -> None:
        while True:
            try:
                was_committed(unknown)
            except UNAVAILABLE:
                sleep(IDLE)
            else:
                connection.close()
                return

    Thread(target=wait, name="talos-settle", daemon=True).start()


def was_committed(unknown: OutcomeUnknown) -> bool:
    """Whether a write was committed. If so, its `on_commit` hooks are run. Raises `UNAVAILABLE`."""
    connection.ensure_connection()
    was_committed: bool | None = connection.was_committed(unknown.xid)  # type: ignore[attr-defined]
    if was_committed is None:
        raise unknown  # the transaction is still ending
    while was_committed and unknown.hooks:
        unknown.hooks.pop(0)()
    return was_committed


def close() -> None:
    """Cancel the writes that still wait: the process ends, and their callers are gone."""
    _writer.shutdown(wait=False, cancel_futures=True)


def explain(error: Exception) -> str:
    """Say for people what is wrong with the database."""
    if isinstance(error, OutcomeUnknown):
        return _UNKNOWN
    cause = error.__cause__
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    return next((text for start, text in _WORDS.items() if code.startswith(start)), _NO_ANSWER)


def notes(error: BaseException) -> list[str]:
    """The notes that were added to an error, for people."""
    return list(getattr(error, "__notes__", ()))


def detail(error: Exception) -> str:
    """Explain an error for the log, with the database's own reason."""
    return f"{explain(error)} ({reasons.reason(error) or type(error).__name__})"


_NO_ANSWER = "The database does not answer."
_UNKNOWN = "The database went away before it said whether this was stored."
_BUSY = "The database is busy: another program holds it."
_FULL = "The disk of the server is full."
_READ_ONLY = "The database is read-only."
_WORDS = {
    "SQLITE_BUSY": _BUSY,
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_IOERR": "The database cannot be written: its disk reports an error.",
    # PostgreSQL: lock_not_available, query_canceled, disk_full, read_only_sql_transaction
    "55P03": _BUSY,
    "57014": _BUSY,
    "53100": _FULL,
    "25006": _READ_ONLY,
}

_used_at = 0.0
"""When the writer's connection was last used."""


def _patient(asked_at: float, job: Callable[[], R]) -> R:
    """Run a write with the rest of its patience, so that one lock does not delay each in turn."""
    global _used_at
    now = monotonic()
    if connection.vendor == "sqlite":
        return until_free(max(asked_at + PATIENCE, now + LEAST_PATIENCE), job)
    if now - _used_at > IDLE and connection.connection and not connection.is_usable():
        connection.close()  # or else this write would fail
    _used_at = now
    return job()


def until_free(deadline: float, job: Callable[[], R]) -> R:
    """Run a write as soon as no other program writes, on SQLite.

    SQLite retries less and less often, up to 0.1 s apart, so next to a program that writes
    constantly it keeps missing the gaps. A write that found the lock taken has done nothing yet,
    so it can start over.
    """
    if connection.vendor == "sqlite" and connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")
            cursor.execute(f"PRAGMA wal_autocheckpoint = {LATEST_CHECKPOINT}")
    while True:
        try:
            return job()
        except OperationalError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", 0)
            if code & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise


def _again_if_broken(job: Callable[[], R]) -> R:
    """Read, and once more if the connection has broken since its last use: PostgreSQL restarted."""
    try:
        return job()
    except UNAVAILABLE:
        if connection.connection is None or connection.is_usable():
            raise
        connection.close()
        return job()


def _guard(job: Callable[[], R]) -> R:
    try:
        return job()
    except (DatabaseError, InterfaceError):
        # for example, PostgreSQL went away: the thread's next job gets a new connection
        if connection.connection is not None and not connection.is_usable():
            connection.close()
        raise


def checkpoint() -> bool:
    """Checkpoint SQLite's write-ahead log if it has grown. Returns whether a part is left.

    Called every second, as a read: it waits for the disk, and no writer waits for it. Pages
    written meanwhile are left; checkpointed as a write, the log starts over instead of growing.
    """
    if connection.vendor != "sqlite":
        return False
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    if not log.exists() or log.stat().st_size <= CHECKPOINT_FROM:
        return False
    with connection.cursor() as cursor:
        _, written, copied = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(copied < written)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let several reads see one state of the database, without SQLite's write lock.

    `transaction.atomic` would take that lock: our transactions are IMMEDIATE. Inside a transaction,
    its state is used.
    """
    if connection.in_atomic_block:
        yield
        return
    begin = {
        "sqlite": "BEGIN DEFERRED",
        "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(begin)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
