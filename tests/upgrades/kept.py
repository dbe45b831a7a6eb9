"""The folders of versions, and what is in each."""

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
"""Of the others, as `sha256sum` writes them."""
UNFINISHED = ("queued", "running", "waiting")
"""Statuses of a turn in an archive."""
VERSIONS = sorted(path.name for path in FOLDER.glob("[0-9]*") if path.is_dir())


def packed(path: Path, content: bytes) -> None:
    """Without a time and a name: the same content is the same file."""
    path.write_bytes(gzip.compress(content, mtime=0))


def unpacked(version: str, name: str) -> bytes:
    return gzip.decompress((FOLDER / version / name).read_bytes())


def digests(version: str) -> str:
    """What `DIGESTS` has to say."""
    folder = FOLDER / version
    return "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted((SQLITE, POSTGRESQL, BACKUP, ARCHIVE))
    )


def archive(version: str) -> bytes:
    """The export that the version itself wrote."""
    return (FOLDER / version / ARCHIVE).read_bytes()


def conversations(archive: bytes) -> dict[str, dict[str, Any]]:
    """By their ids."""
    found = map(json.loads, archive.splitlines())
    return {conversation["id"]: conversation for conversation in found}
