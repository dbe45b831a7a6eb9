"""The kept folders of versions and their contents."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SQLITE, POSTGRESQL = "talos.sqlite3.gz", "postgresql.sql.gz"
BACKUP, ARCHIVE = "talos.backup.gz", "history.jsonl"
DIGESTS = "SHA256SUMS"
"""Digests of the other files, as `sha256sum` writes them."""
UNFINISHED = ("queued", "running", "waiting")
"""Statuses of a turn in an archive."""
VERSIONS = sorted(path.name for path in FOLDER.glob("[0-9]*") if path.is_dir())


def packed(path: Path, content: bytes) -> None:
    """Compress without time and name, so that the same content gives the same file."""
    path.write_bytes(gzip.compress(content, mtime=0))


def unpacked(version: str, name: str) -> bytes:
    return gzip.decompress((FOLDER / version / name).read_bytes())


def digests(version: str) -> str:
    """Return the expected content of `DIGESTS`."""
    folder = FOLDER / version
    return "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted((SQLITE, POSTGRESQL, BACKUP, ARCHIVE))
    )


def archive(version: str) -> bytes:
    """Read the export that the version itself wrote."""
    return (FOLDER / version / ARCHIVE).read_bytes()


def conversations(archive: bytes) -> dict[str, dict[str, Any]]:
    """Return the conversations by id."""
    found = map(json.loads, archive.splitlines())
    return {conversation["id"]: conversation for conversation in found}
