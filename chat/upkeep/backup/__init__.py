"""Backing up everything that a dead disk would destroy to one file, and restoring it.

The file is an SQLite database: the conversations, settings and users as they were at one moment
(`write.py` copies them while the server runs), with the data directory's secret key and workspace
in a table (`files.py`). `restore.py` puts both into an empty data directory. Keys of model providers
are not included: those in the environment stay there, and those entered in the browser are removed
from the copy (`keys.py`).
"""

from __future__ import annotations

from chat.upkeep.backup.base import BackupError, Stopped
from chat.upkeep.backup.contents import Contents
from chat.upkeep.backup.keys import TABLE as KEYS
from chat.upkeep.backup.restore import restore
from chat.upkeep.backup.write import make

__all__ = ["KEYS", "BackupError", "Contents", "Stopped", "make", "restore"]
