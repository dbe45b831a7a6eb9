"""What no backup holds: the providers that were connected in the browser, with their keys.

The secret key, which opens them, is in the backup.
"""

from __future__ import annotations

import sqlite3

TABLE = "chat_providerconnection"


def take_out(database: sqlite3.Connection) -> None:
    """Remove the connections from a copy, also from its free space."""
    database.execute("PRAGMA secure_delete=ON")
    tables = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [TABLE])
    if tables.fetchone():  # it has none where an older version made it
        database.execute(f"DELETE FROM {TABLE}")  # noqa: S608  # our own name
