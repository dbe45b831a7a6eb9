"""Removing from a backup the model providers connected in the browser, and what can be rendered again.

A backup contains the secret key, which decrypts the providers' keys.
"""

from __future__ import annotations

import sqlite3

TABLE = "chat_providerconnection"
RENDERED = "chat_keptrender"


def remove(database: sqlite3.Connection) -> None:
    """Remove them from a copy, including its free space."""
    database.execute("PRAGMA secure_delete=ON")
    for table in (TABLE, RENDERED):
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table])
        if found.fetchone():  # older versions have no such table
            database.execute(f"DELETE FROM {table}")  # noqa: S608  # our own name
    database.executescript("PRAGMA incremental_vacuum")
