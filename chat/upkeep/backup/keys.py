"""What no backup holds: the providers that were connected in the browser, with their keys; and what
can be made again.

The secret key, which opens the keys, is in the backup.
"""

from __future__ import annotations

import sqlite3

TABLE = "chat_providerconnection"
RENDERED = "chat_keptrender"


def take_out(database: sqlite3.Connection) -> None:
    """Remove them from a copy, also from its free space."""
    database.execute("PRAGMA secure_delete=ON")
    for table in (TABLE, RENDERED):
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table])
        if found.fetchone():  # it has none where an older version made it
            database.execute(f"DELETE FROM {table}")  # noqa: S608  # our own name
    database.executescript("PRAGMA incremental_vacuum")
