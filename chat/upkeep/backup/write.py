"""Making a backup while the server runs and people write.

`VACUUM INTO` copies what was committed at one moment and blocks nobody. The copy is made under a
temporary name, completed, checked and synced to disk before it gets its final name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from chat.access.operator import operator
from chat.models import Audit
from chat.upkeep.backup import files, keys
from chat.upkeep.backup.base import (
    STEPS,
    BackupError,
    StopAsked,
    Tell,
    explain_errors,
    forget_companions,
    open_draft,
    publish_draft,
)
from chat.upkeep.backup.contents import Contents, check, contents


def make(
    target: Path,
    *,
    force: bool = False,
    workspace: bool = True,
    stop: StopAsked = lambda: False,
    tell: Tell = lambda done, total: None,
) -> Contents:
    """Write a backup of an SQLite database. On `BackupError`, `target` is unchanged."""
    target = target.absolute()
    _check(target, force=force)
    draft = target.with_name(f".{target.name}.part")
    total = _size(workspace=workspace)

    def stop_and_tell() -> bool:
        """Report progress whenever SQLite asks whether to stop."""
        tell(draft.stat().st_size, total)
        return stop()

    database = Path(settings.DATABASES["default"]["NAME"])
    with explain_errors(database, target), _lock(draft):
        try:
            _copy(draft, stop_and_tell)
            found = _complete(draft, workspace=workspace, stop=stop_and_tell)
        finally:
            tell(draft.stat().st_size, total)
        publish_draft(draft, target)
    _record(found, target)
    return found


def _size(*, workspace: bool) -> int:
    """Estimate the bytes to write."""
    database = Path(settings.DATABASES["default"]["NAME"])
    packed = files.walk(settings.WORKSPACE) if workspace else ()
    sizes = (path.lstat().st_size for path in packed if not path.is_dir())
    return database.stat().st_size + sum(sizes)


def _record(found: Contents, target: Path) -> None:
    """Record the backup. It counts even if this fails."""
    messages = f"{found.conversations:,} with {found.messages:,} messages"
    with suppress(DatabaseError):
        Audit.objects.create(
            action="backup",
            source=Audit.Source.COMMAND,
            operator=operator(),
            summary=f"Conversations: {messages}, to {target}.",
        )


def _check(target: Path, *, force: bool) -> None:
    database, inside = Path(settings.DATABASES["default"]["NAME"]), settings.WORKSPACE
    if not database.is_file():
        raise BackupError(f"There is nothing to back up yet: {database} does not exist.")
    if target.is_dir():
        raise BackupError(f"{target} is a directory: name a file in it.")
    if not target.parent.is_dir():
        raise BackupError(f"The directory {target.parent} does not exist: create it first.")
    if target.resolve().is_relative_to(inside.resolve()):
        raise BackupError(
            f"{target} is in the workspace, which the backup includes: choose another place."
        )
    if not os.path.lexists(target):
        return
    if not target.is_file():  # `--force` would replace /dev/null, say
        raise BackupError(f"{target} exists and is not a file: choose another name.")
    if target.samefile(database):
        raise BackupError(f"{target} is the database itself.")
    if not force:
        raise BackupError(f"{target} exists: choose another name, or add --force.")


@contextmanager
def _lock(draft: Path) -> Iterator[None]:
    """Create and lock the empty draft; remove it if the backup fails."""
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(descriptor), draft.stat())
        except (BlockingIOError, FileNotFoundError):
            mine = False
        if not mine:  # the other backup may have renamed it to its target
            raise BackupError("Another backup to this file is under way: wait until it is done.")
        # a killed backup may have left data
        os.ftruncate(descriptor, 0)
        os.fchmod(descriptor, 0o600)
        forget_companions(draft)
        try:
            yield
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            forget_companions(draft)
    finally:
        os.close(descriptor)


def _copy(draft: Path, stop: StopAsked) -> None:
    with connection.cursor() as cursor:
        handle = connection.connection.set_progress_handler
        handle(lambda: int(stop()), STEPS)
        (before,) = cursor.execute("PRAGMA secure_delete").fetchone()
        # otherwise traces of moved rows would stay in the copy
        cursor.execute("PRAGMA secure_delete=ON")
        try:
            cursor.execute("VACUUM INTO %s", [str(draft)])
        finally:
            handle(None, 0)
            cursor.execute(f"PRAGMA secure_delete={before}")


def _complete(draft: Path, *, workspace: bool, stop: StopAsked) -> Contents:
    with open_draft(draft, stop) as database:
        keys.remove(database)
        files.pack(database, settings.DATA_DIR, workspace=workspace, stop=stop)
        check(database, draft)
        return contents(database, draft)
