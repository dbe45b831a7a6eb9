"""Migrations are only added, and kept folders never change, because databases exist already."""

from __future__ import annotations

import hashlib

import pytest
from django.conf import settings

from tests.upgrades.kept import DIGESTS, FOLDER, VERSIONS, digests

LIST = FOLDER / "migrations.txt"
LISTED = dict(line.split() for line in LIST.read_text().splitlines())
MIGRATIONS = settings.BASE_DIR / "chat" / "migrations"
FOUND = {
    file.stem: hashlib.sha256(file.read_bytes()).hexdigest()
    for file in sorted(MIGRATIONS.glob("[0-9]*.py"))
}
INSTEAD = (
    "Bring the file back as it was, and change the models by a new migration: "
    "python manage.py makemigrations chat"
)


@pytest.mark.parametrize("name", LISTED)
def test_a_migration_is_neither_rewritten_nor_removed(name: str) -> None:
    assert name in FOUND, f"{name} is gone, but people's databases have it. {INSTEAD}"
    assert FOUND[name] == LISTED[name], (
        f"{name} was changed, and databases that have run it would not get the change. {INSTEAD}"
    )


def test_every_migration_is_listed() -> None:
    new = [f"{name} {digest}" for name, digest in FOUND.items() if name not in LISTED]
    place = LIST.relative_to(settings.BASE_DIR)
    assert not new, "\n".join([f"From now on it stays as it is. Append to {place}:", *new])


@pytest.mark.parametrize("kept", VERSIONS)
def test_a_versions_kept_folder_never_changes(kept: str) -> None:
    listed = (FOLDER / kept / DIGESTS).read_text()
    assert digests(kept) == listed, f"Bring the files of tests/upgrades/{kept} back as they were."
