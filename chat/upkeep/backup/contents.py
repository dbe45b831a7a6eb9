"""Looking into a database: whether it is a whole one of Talos, and what is in it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chat.upkeep.backup import files
from chat.upkeep.backup.base import BackupError

OURS = ("django_migrations", "chat_conversation", "chat_message")
"""Tables without which a database is none of Talos."""

_HIDDEN = "SELECT id FROM chat_conversation WHERE hidden > ''"
_NONE = "SELECT NULL WHERE 0"
"""Of a database that is older than the column."""


@dataclass(frozen=True)
class Contents:
    """What is in a backup, as people see it."""

    conversations: int
    messages: int
    latest: datetime | None
    """When the last message was said."""
    has_secret_key: bool
    files: int
    """Of the workspace."""
    size: int
    """Bytes of the whole."""


def check(database: sqlite3.Connection, name: Path) -> None:
    """Raise `BackupError` unless this is a whole database of Talos."""
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    if missing := [table for table in OURS if table not in tables]:
        raise BackupError(f"{name} is no database of Talos: it has no table {missing[0]}.")
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
    has_secret_key, number = files.packed(database)
    return Contents(
        conversations=conversations,
        messages=messages,
        latest=datetime.fromisoformat(latest).replace(tzinfo=UTC) if latest else None,
        has_secret_key=has_secret_key,
        files=number,
        size=path.stat().st_size,
    )
