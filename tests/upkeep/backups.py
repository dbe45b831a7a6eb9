"""Data directories and backups for tests of `backup` and `restore`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django import Settings

from chat.upkeep import backup
from tests.support.histories import make


@pytest.fixture
def data(tmp_path: Path, settings: Settings) -> Path:
    """The data directory, with a secret key and a workspace."""
    settings.DATA_DIR = tmp_path / "data"
    settings.WORKSPACE = settings.DATA_DIR / "workspace"
    (settings.WORKSPACE / "notes").mkdir(parents=True)
    (settings.WORKSPACE / "notes" / "über 🙂.txt").write_text("kept")
    (settings.WORKSPACE / "empty").mkdir()
    (settings.WORKSPACE / "outside").symlink_to("/etc/passwd")
    (settings.DATA_DIR / "secret_key").write_text("s" * 50)
    return tmp_path / "data"


@pytest.fixture
def empty(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory to restore into."""
    directory = tmp_path / "new"
    directory.mkdir()
    settings.DATA_DIR = directory
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", directory / "talos.sqlite3")
    return directory


@pytest.fixture
def made(data: Path, tmp_path: Path) -> Path:
    """A backup of two conversations."""
    make(2)
    backup.make(tmp_path / "talos.backup")
    return tmp_path / "talos.backup"


def query(file: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute(statement).fetchall()


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)
