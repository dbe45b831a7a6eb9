"""`python -m tests.upgrades.make`: create a folder with this version's data.

It needs `pg_dump` and the PostgreSQL server at TALOS_TEST_DATABASE_URL, on which it creates and drops
databases.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import django

from tests.support.processes import manage
from tests.upgrades.kept import (
    ARCHIVE,
    BACKUP,
    DIGESTS,
    FOLDER,
    POSTGRESQL,
    SQLITE,
    digests,
    packed,
)

SERVER = "postgres://postgres@127.0.0.1:5432/test"
ROWS = "from tests.upgrades import rows; rows.make()"
FILES = {
    "secret_key": "the-secret-key-of-a-version-that-is-tested-and-of-nobody\n",
    "workspace/notes/kept.md": "Milk\n",
    "workspace/notes/über 🙂.txt": "kept\n",
}
"""The kept files of the data directory."""
NOT_FOR_ALL = re.compile(rb"(?m)^(\\(un)?restrict \w+|SET transaction_timeout = 0;)\n")
"""Lines that only psql or only PostgreSQL 17 understands."""


def main() -> None:
    _prepare()
    with (FOLDER.parents[1] / "pyproject.toml").open("rb") as file:
        target = FOLDER / tomllib.load(file)["project"]["version"]
    if target.exists():
        sys.exit(f"{target} exists: a version's folder is never remade.")
    target.mkdir()
    try:
        _make(target)
    except BaseException:
        shutil.rmtree(target)
        raise


def _prepare() -> None:
    """Use the tests' settings with PostgreSQL, so that `tests/support/databases.py` finds the server."""
    os.environ["DATABASE_URL"] = os.environ.get("TALOS_TEST_DATABASE_URL", SERVER)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()


def _make(target: Path) -> None:
    with TemporaryDirectory() as folder:
        data = Path(folder)
        _on_sqlite(target, data / "sqlite")
        _on_postgresql(target, data / "postgresql")
    (target / DIGESTS).write_text(digests(target.name))


def _on_sqlite(target: Path, data: Path) -> None:
    _write_files(data)
    _fill(data)
    # first, because a backup adds an audit row
    packed(target / SQLITE, (data / "talos.sqlite3").read_bytes())
    _run("backup", str(data / BACKUP), data=data)
    packed(target / BACKUP, (data / BACKUP).read_bytes())
    _run("export_history", "--output", str(target / ARCHIVE), data=data)


def _on_postgresql(target: Path, data: Path) -> None:
    from tests.support.databases import empty_database

    _write_files(data)
    with empty_database() as url:
        _fill(data, DATABASE_URL=url)
        options = ("--inserts", "--no-owner", "--no-privileges")
        dump = subprocess.run(["pg_dump", *options, url], check=True, capture_output=True)
    packed(target / POSTGRESQL, NOT_FOR_ALL.sub(b"", dump.stdout))


def _write_files(data: Path) -> None:
    for name, text in FILES.items():
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (0, 0))
    for path in (data / "workspace", data / "workspace/notes"):
        os.utime(path, (0, 0))


def _fill(data: Path, **variables: str) -> None:
    _run("migrate", "--verbosity=0", data=data, **variables)
    _run("shell", "--no-imports", "-c", ROWS, data=data, **variables)


def _run(*arguments: str, data: Path, **variables: str) -> None:
    done = manage(*arguments, TALOS_DATA_DIR=str(data), TALOS_TIME_ZONE="UTC", **variables)
    if done.returncode:
        sys.exit(done.stderr)


if __name__ == "__main__":
    main()
