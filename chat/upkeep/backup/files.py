"""Storing files in a table in SQLite's own archive format, which `sqlite3 FILE -Atv` lists."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from chat.upkeep.backup.base import BackupError, StopAsked, Stopped

SECRET_KEY = "secret_key"  # noqa: S105  # a file's name
WORKSPACE = "workspace"
_TABLE = """CREATE TABLE sqlar(
    name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB
)"""
_CHUNK = 1024 * 1024


def pack(
    database: sqlite3.Connection, directory: Path, *, workspace: bool, stop: StopAsked
) -> None:
    """Store a data directory's secret key and, if asked, its workspace."""
    database.execute(_TABLE)
    if (directory / SECRET_KEY).is_file():
        _pack(database, directory / SECRET_KEY, SECRET_KEY, stop)
    for path in walk(directory / WORKSPACE) if workspace else ():
        if stop():
            raise Stopped("Stopped.")
        _pack(database, path, str(path.relative_to(directory)), stop)


def walk(directory: Path) -> Iterator[Path]:
    """Yield ordinary files and directories, but no links, which may lead anywhere."""
    for folder, _, names in os.walk(directory):
        yield Path(folder)
        for path in (Path(folder) / name for name in sorted(names)):
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _pack(database: sqlite3.Connection, path: Path, name: str, stop: StopAsked) -> None:
    """Store a file in chunks, as it may be larger than the memory."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BackupError(
            f"{os.fsencode(path)!r} has a name that is not UTF-8: rename it."
        ) from None
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        row = name, found.st_mode, int(found.st_mtime), 0, None
        database.execute("INSERT INTO sqlar VALUES (?, ?, ?, ?, ?)", row)
        return
    most = database.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) - _CHUNK
    if found.st_size > most:
        raise BackupError(
            f"{path} is too large for a backup: {found.st_size:,} bytes, at most {most:,}. Move it "
            "out of the workspace, or add --without-workspace."
        )
    row_id = database.execute(
        "INSERT INTO sqlar VALUES (?, ?, ?, ?, zeroblob(?))",
        (name, found.st_mode, int(found.st_mtime), found.st_size, found.st_size),
    ).lastrowid
    _copy(database, path, int(row_id or 0), found.st_size, stop)


def _copy(
    database: sqlite3.Connection, path: Path, row_id: int, size: int, stop: StopAsked
) -> None:
    with path.open("rb") as file, database.blobopen("sqlar", "data", row_id) as blob:
        while blob.tell() < size:
            piece = file.read(min(_CHUNK, size - blob.tell()))
            if not piece:
                raise BackupError(f"{path} shrank while it was being read: try again.")
            blob.write(piece)
            if stop():
                raise Stopped("Stopped.")


def unpack(database: sqlite3.Connection, directory: Path) -> None:
    """Write the files that `pack` stored, readable by this user only, and drop the table."""
    rows = database.execute("SELECT rowid, name, mode, mtime, sz, length(data) FROM sqlar")
    for row_id, name, mode, mtime, size, stored in rows.fetchall():
        path = directory / _inside(name)
        if stat.S_ISDIR(mode):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif stat.S_ISREG(mode) and size == stored:
            _write(database, row_id, path, 0o700 if mode & 0o100 else 0o600)
            os.utime(path, (mtime, mtime))
        else:
            raise BackupError(f"This is not a Talos backup: {name!r} is not an ordinary file.")
    database.execute("DROP TABLE sqlar")


def _inside(name: object) -> PurePosixPath:
    """Return a file's path. Raises `BackupError` if it is outside what a backup may write."""
    path = PurePosixPath(str(name))
    is_ours = path.parts[:1] == (WORKSPACE,) or str(name) == SECRET_KEY
    if not is_ours or path.is_absolute() or ".." in path.parts or "\0" in str(name):
        raise BackupError(f"This is not a Talos backup: it contains a file {str(name)!r}.")
    return path


def _write(database: sqlite3.Connection, row_id: int, path: Path, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name[:200]}.part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        with database.blobopen("sqlar", "data", row_id, readonly=True) as blob:
            while piece := blob.read(_CHUNK):
                file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def is_packed(database: sqlite3.Connection) -> bool:
    """Whether a database contains files; a copied plain database does not."""
    found = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlar'")
    return found.fetchone() is not None


def count_files(database: sqlite3.Connection) -> tuple[bool, int]:
    """Return whether there is a secret key, and the number of workspace files."""
    if not is_packed(database):
        return False, 0
    names = [row[0] for row in database.execute("SELECT name FROM sqlar WHERE data IS NOT NULL")]
    return SECRET_KEY in names, len([name for name in names if name != SECRET_KEY])
