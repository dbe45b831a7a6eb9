"""Checking that a database is an intact one of Talos, and summing up its contents."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chat.upkeep.backup import files
from chat.upkeep.backup.base import BackupError

OURS = ("django_migrations", "chat_conversation", "chat_message")
"""Tables that every Talos database has."""

_HIDDEN = "SELECT id FROM chat_conversation WHERE hidden > ''"
_NONE = "SELECT NULL WHERE 0"
"""For a database older than the column."""


@dataclass(frozen=True)
class Contents:
    """The contents of a backup, in numbers."""

    conversations: int
    messages: int
    latest: datetime | None
    """The time of the last message."""
    has_secret_key: bool
    files: int
    """The number of files in the workspace."""
    size: int
    """The size of the whole file in bytes."""


def check(database: sqlite3.Connection, name: Path) -> None:
    """Raise `BackupError` unless this is an intact Talos database."""
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    if missing := [table for table in OURS if table not in tables]:
        raise BackupError(f"{name} is not a Talos database: it has no table {missing[0]}.")
    found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupError(f"{name} is damaged: {found}.")
    if dangling := database.execute("PRAGMA foreign_key_check").fetchone():
        raise BackupError(f"{name} is damaged: a row of {dangling[0]} refers to nothing.")


def contents(database: sqlite3.Connection, path: Path) -> Contents:
    columns = [row[1] for row in database.execute("PRAGMA table_info(chat_conversation)")]
    hidden = _HIDDEN if "hidden" in columns else _NONE
    counted = f"SELECT count(*) FROM chat_conversation WHERE id NOT IN ({hidden})"  # noqa: S608
    (conversations,) = database.execute(counted).fetchone()
    said = f"SELECT count(*), max(created_at) FROM chat_message WHERE conversation_id NOT IN ({hidden})"  # noqa: S608
    messages, latest = database.execute(said).fetchone()
    has_secret_key, number = files.count_files(database)
    return Contents(
        conversations=conversations,
        messages=messages,
        latest=datetime.fromisoformat(latest).replace(tzinfo=UTC) if latest else None,
        has_secret_key=has_secret_key,
        files=number,
        size=path.stat().st_size,
    )
