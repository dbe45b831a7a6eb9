"""The SQLite file is created with the pragmas needed at creation, and opened with the others."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from django.db import connection

from tests.support.processes import manage


@pytest.mark.slow
def test_a_new_file_uses_wal_and_incremental_vacuum(tmp_path: Path) -> None:
    done = manage("migrate", "--verbosity=0", TALOS_DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    database = sqlite3.connect(tmp_path / "talos.sqlite3")
    try:
        assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        database.close()


@pytest.mark.slow
def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    done = manage("migrate", "--verbosity=0", TALOS_DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    database = sqlite3.connect(tmp_path / "talos.sqlite3")
    try:
        database.execute("UPDATE django_content_type SET model = model")
        database.commit()
        found = {
            path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("talos.sq*")
        }
    finally:
        database.close()
    assert set(found) == {"talos.sqlite3", "talos.sqlite3-wal", "talos.sqlite3-shm"}
    assert set(found.values()) == {0o600}


@pytest.mark.django_db
def test_connections_are_opened_as_configured() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    with connection.cursor() as cursor:
        values = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "cache_size", "busy_timeout", "mmap_size")
        ]
    assert values == [1, -16000, 5000, 0]
    assert connection.transaction_mode == "IMMEDIATE"  # type: ignore[attr-defined]  # SQLite's own
