"""A database of each version that people run becomes one of this version, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support.databases import FILE, fresh_database
from tests.upgrades import schema
from tests.upgrades.kept import VERSIONS, archive
from tests.upgrades.reading import differences
from tests.upgrades.upgraded import Upgraded


def test_the_first_version_is_among_those_that_are_kept() -> None:
    assert "0.1.0" in VERSIONS


def test_no_row_is_lost(upgraded: Upgraded) -> None:
    assert upgraded.before["chat_message"] > 0
    assert upgraded.before - upgraded.after == Counter(), "these are lost"


def test_the_file_is_intact(upgraded: Upgraded) -> None:
    assert upgraded.faults == []


def test_its_schema_is_that_of_a_new_database(upgraded: Upgraded, tmp_path: Path) -> None:
    with fresh_database(tmp_path / "data") as variables:
        fresh = schema.described(variables.get("DATABASE_URL") or tmp_path / "data" / FILE)
    assert upgraded.schema - fresh == set(), "only in the upgraded one"
    assert fresh - upgraded.schema == set(), "only in a new one"


def test_an_export_equals_the_versions_own(upgraded: Upgraded) -> None:
    lost, changed = differences(upgraded.exported, archive(upgraded.version))
    assert (lost, changed) == ([], [])


def test_an_export_in_the_same_format_is_the_same_to_the_byte(upgraded: Upgraded) -> None:
    assert upgraded.exported_as_before == archive(upgraded.version)
