"""A data directory on which tests run commands, as an operator does."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from tests.support.databases import fresh_database
from tests.support.processes import manage

IS_SQLITE = not settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
sqlite_only = pytest.mark.skipif(not IS_SQLITE, reason="the same on both")
postgresql_only = pytest.mark.skipif(IS_SQLITE, reason="PostgreSQL's own words")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with some conversations."""
    data = tmp_path_factory.mktemp("place") / "data"
    with fresh_database(data):
        made = manage(
            "shell", "--no-imports", "-v0", "-c", "from tests.support.histories import make; make(300)",
            TALOS_DATA_DIR=str(data),
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
    return data


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]
