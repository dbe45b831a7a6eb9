"""Restoring a backup into an empty data directory.

The backup is read and checked first. Its copy gets its final name in the last step, so a killed
restore has restored nothing, and the next one starts again. No server can start meanwhile.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from chat.access.operator import operator
from chat.db import process, versions
from chat.models import Audit
from chat.upkeep.backup import files, keys
from chat.upkeep.backup.base import (
    BackupError,
    StopAsked,
    Stopped,
    Tell,
    explain_errors,
    forget_companions,
    open_draft,
    publish_draft,
)
from chat.upkeep.backup.contents import Contents, check, contents

_HEADER = b"SQLite format 3\0"
_PAGES = 2000
"""Pages copied at a time."""


def restore(
    source: Path,
    *,
    stop: StopAsked = lambda: False,
    tell: Tell = lambda done, total: None,
) -> Contents:
    """Fill the data directory. On `BackupError` it still has no database."""
    directory, database = settings.DATA_DIR, Path(settings.DATABASES["default"]["NAME"])
    draft = database.with_name(f".{database.name}.part")
    with explain_errors(source, directory):
        _check_is_empty(directory, database, draft)
        _claim(directory)
        try:
            found = _fill(source, draft, directory, stop, tell)
            forget_companions(database)  # left by a database without tables
            publish_draft(draft, database)
        finally:
            process.release()
    return found


def _fill(source: Path, draft: Path, directory: Path, stop: StopAsked, tell: Tell) -> Contents:
    try:
        _copy(source, draft, stop, tell)
        found = _unpack(draft, directory, stop)
        _migrate(draft, found, source)
        return found
    except BaseException:
        # the workspace was empty before
        shutil.rmtree(directory / files.WORKSPACE, ignore_errors=True)
        draft.unlink(missing_ok=True)
        raise
    finally:
        forget_companions(draft)


def _migrate(draft: Path, found: Contents, source: Path) -> None:
    words = f"{found.conversations:,} with {found.messages:,} messages, from {source.name}"
    with _connected(draft):
        call_command("migrate", interactive=False, verbosity=0)
        Audit.objects.create(
            action="restore",
            source=Audit.Source.COMMAND,
            operator=operator(),
            summary=f"Conversations: {words}.",
        )


@contextmanager
def _connected(database: Path) -> Iterator[None]:
    """Point Django's connection to another file."""
    connection.close()
    original, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original


def _check_is_empty(directory: Path, database: Path, draft: Path) -> None:
    where = "Choose another data directory with TALOS_DATA_DIR, or move it away."
    if os.path.lexists(database) and not _is_blank(database):
        raise BackupError(f"{database} exists, and a restore overwrites nothing. {where}")
    workspace = directory / files.WORKSPACE
    was_begun = draft.exists()
    if workspace.is_dir() and any(workspace.iterdir()) and not was_begun:
        raise BackupError(f"{workspace} has files, and a restore overwrites nothing. {where}")


def _is_blank(database: Path) -> bool:
    """Whether it has no tables: a command that looked for conversations may have created it."""
    if database.is_symlink() or not database.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=rw", uri=True)) as found:
            return bool(found.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])
    except sqlite3.DatabaseError:
        return False


def _claim(directory: Path) -> None:
    try:
        process.claim(directory)
    except process.DataDirectoryBusy as error:
        raise BackupError(str(error)) from None


def _copy(source: Path, draft: Path, stop: StopAsked, tell: Tell) -> None:
    """Copy all pages of a database after a first check."""
    with closing(_open(source)) as backup:
        _check_version(backup, source)
        draft.unlink(missing_ok=True)
        forget_companions(draft)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

        ((size,),) = backup.execute("PRAGMA page_size")

        def report(_status: int, left: int, total: int) -> None:
            tell((total - left) * size, total * size)
            if stop():
                raise Stopped("Stopped.")

        with closing(sqlite3.connect(draft)) as copy:
            backup.backup(copy, pages=_PAGES, progress=report)
            copy.execute("PRAGMA journal_mode=DELETE")  # the source may be in WAL mode


def _open(source: Path) -> sqlite3.Connection:
    with source.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise BackupError(f"{source} is not a backup: it is not an SQLite database.")
    # A file at rest may be on a read-only disk. One with a WAL is or was in use, and the WAL counts.
    has_wal = source.with_name(f"{source.name}-wal").exists()
    how = "mode=rw" if has_wal else "immutable=1"
    return sqlite3.connect(f"file:{quote(str(source.absolute()))}?{how}", uri=True)


def _check_version(backup: sqlite3.Connection, source: Path) -> None:
    """Refuse a database made by another program or a newer version of Talos."""
    tables = {row[0] for row in backup.execute("SELECT name FROM sqlite_master")}
    if "django_migrations" not in tables:
        raise BackupError(f"{source} is not a Talos database.")
    applied = backup.execute("SELECT app, name FROM django_migrations")
    if unknown := versions.unknown_migration(applied):
        raise BackupError(
            f"{source} was made by a newer version of Talos: {unknown} is unknown here. "
            "Update Talos first."
        )


def _unpack(draft: Path, directory: Path, stop: StopAsked) -> Contents:
    with open_draft(draft, stop) as database:
        check(database, draft)
        found = contents(database, draft)
        keys.remove(database)  # a database copied by hand has them
        if files.is_packed(database):
            files.unpack(database, directory)
            database.executescript("PRAGMA incremental_vacuum")
    return found
