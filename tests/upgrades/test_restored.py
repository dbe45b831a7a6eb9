"""This version restores the backup of every earlier one into an empty data directory."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.databases import FILE
from tests.support.processes import Talos
from tests.upgrades import schema
from tests.upgrades.kept import BACKUP, archive, unpacked
from tests.upgrades.reading import differences, fetch
from tests.upgrades.rows.talk import key
from tests.upgrades.upgraded import IS_SQLITE, as_before, exported, run

if not IS_SQLITE:
    pytest.skip("SQLite only", allow_module_level=True)

HELD = "SELECT name, data FROM sqlar WHERE data IS NOT NULL"


@dataclass(frozen=True)
class Restored:
    """Everything here was read before a server started."""

    data: Path
    held: dict[str, bytes]
    """The files in the backup."""
    before: Counter[str]
    """Rows of each table."""
    after: Counter[str]
    faults: list[str]
    exported: bytes
    exported_as_before: bytes
    """In the format of the version's own export."""


@pytest.fixture(scope="module")
def restored(version: str, tmp_path_factory: pytest.TempPathFactory) -> Restored:
    folder = tmp_path_factory.mktemp("restored")
    backup, data = folder / "talos.backup", folder / "data"
    backup.write_bytes(unpacked(version, BACKUP))
    run("restore", str(backup), data=data)
    with closing(sqlite3.connect(backup)) as file:
        held = dict(file.execute(HELD).fetchall())
    before = schema.rows(backup)
    del before["sqlar"]  # the files
    return Restored(
        data=data,
        held=held,
        before=before,
        after=schema.rows(data / FILE),
        faults=schema.faults(data / FILE),
        exported=exported(data),
        exported_as_before=exported(data, *as_before(version)),
    )


def test_all_rows_are_there_again(restored: Restored) -> None:
    assert restored.before["chat_message"] > 0
    assert restored.before - restored.after == Counter(), "these are lost"
    assert restored.faults == []


def test_an_export_equals_the_versions_own(version: str, restored: Restored) -> None:
    lost, changed = differences(restored.exported, archive(version))
    assert (lost, changed) == ([], [])
    assert restored.exported_as_before == archive(version)


def test_the_secret_key_and_the_workspace_are_there_again(restored: Restored) -> None:
    assert restored.held.keys() > {"secret_key", "workspace/notes/über 🙂.txt"}
    assert {name: (restored.data / name).read_bytes() for name in restored.held} == restored.held


@pytest.mark.anyio
async def test_a_server_starts_on_it(restored: Restored, collected: None) -> None:
    server = Talos(restored.data)
    try:
        address = server.start(TALOS_APPROVAL_DAYS="3650")
        page = await fetch(address, f"/c/{key('in-many-scripts')}/")
        status, errors = server.stop()
    finally:
        server.kill()
    assert "旅行の計画" in page
    assert "Un café crème" in page
    assert status == 0
    assert "ERROR" not in errors, errors
