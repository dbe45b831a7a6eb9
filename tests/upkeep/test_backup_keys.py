"""Backups contain no providers connected in the browser, nor their keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.databases import FILE, fresh_database
from tests.support.processes import manage

if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    pytest.skip("SQLite only", allow_module_level=True)

SEALED = "gAAAAAB-sealed-{}-" + "x" * 400
ROWS = 80
"""More than a database page holds, so that rows move while they are copied."""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory with many connections."""
    folder = tmp_path / "data"
    with fresh_database(folder):
        connect(folder / FILE)
        yield folder


def connect(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        for number in range(ROWS):
            row = f"provider-{number}", f"http://ant-{number}/v1", SEALED.format(number)
            database.execute(
                "INSERT INTO chat_providerconnection (provider, address, sealed_key, updated_at) "
                "VALUES (?, ?, ?, '2030-01-01 00:00:00')",
                row,
            )
        database.commit()


def connections(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return int(database.execute("SELECT count(*) FROM chat_providerconnection").fetchone()[0])


def test_a_backup_has_no_trace_of_a_connection(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    done = manage("backup", str(file), TALOS_DATA_DIR=str(data))
    assert done.returncode == 0, done.stderr
    assert "the keys of model providers" in done.stdout
    assert connections(file) == 0
    content = file.read_bytes()
    assert b"sealed-" not in content
    assert b"http://ant-" not in content
    assert connections(data / FILE) == ROWS  # those in use are as they were


def test_a_restore_brings_no_connections_and_says_so(data: Path, tmp_path: Path) -> None:
    """This includes a database copied by hand."""
    new = tmp_path / "new"
    done = manage("restore", str(data / FILE), TALOS_DATA_DIR=str(new))
    assert done.returncode == 0, done.stderr
    assert "enter them in the browser again" in done.stdout
    assert connections(new / FILE) == 0
    assert b"sealed-" not in (new / FILE).read_bytes()
