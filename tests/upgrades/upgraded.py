"""A kept database, brought up to date as an update does it, and how it was before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings

from tests.support.databases import FILE, empty_database
from tests.support.processes import manage
from tests.upgrades import schema
from tests.upgrades.kept import POSTGRESQL, SQLITE, archive, conversations, unpacked
from tests.upgrades.schema import Place, query

IS_SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
_RUNNING = "SELECT process FROM chat_turn WHERE status = 'running'"


@dataclass(frozen=True)
class Upgraded:
    """Everything here was read before a server started."""

    version: str
    data: Path
    variables: dict[str, str]
    """Environment variables that name the database."""
    before: Counter[str]
    """Rows of each table."""
    after: Counter[str]
    faults: list[str]
    schema: set[str]
    exported: bytes
    exported_as_before: bytes
    """In the format of the version's own export."""


@contextmanager
def upgraded_database(version: str, data: Path) -> Iterator[Upgraded]:
    data.mkdir(mode=0o700)
    with _kept(version, data) as (place, variables):
        before = schema.rows(place)
        run("migrate", "--verbosity=0", data=data, **variables)
        yield Upgraded(
            version=version,
            data=data,
            variables=variables,
            before=before,
            after=schema.rows(place),
            faults=schema.faults(place),
            schema=schema.described(place),
            exported=exported(data, **variables),
            exported_as_before=exported(data, *as_before(version), **variables),
        )


@contextmanager
def _kept(version: str, data: Path) -> Iterator[tuple[Place, dict[str, str]]]:
    if IS_SQLITE:
        (data / FILE).write_bytes(unpacked(version, SQLITE))
        yield data / FILE, {}
        return
    with empty_database() as url:
        with psycopg.connect(url) as database:
            database.execute(unpacked(version, POSTGRESQL))
        # by which the next server knows that this one is dead
        (data / "talos.lock").write_text(str(query(url, _RUNNING)[0][0]))
        yield url, {"DATABASE_URL": url}


def exported(data: Path, *options: str, **variables: str) -> bytes:
    """All conversations, as this version writes them."""
    output = ("--output", str(data / "now.jsonl"), "--force")
    run("export_history", *output, *options, data=data, **variables)
    return (data / "now.jsonl").read_bytes()


def as_before(version: str) -> tuple[str, ...]:
    """Options for an export in the format of the version's own."""
    (number,) = {kept["version"] for kept in conversations(archive(version)).values()}
    return ("--format-version", str(number))


def run(*arguments: str, data: Path, **variables: str) -> None:
    done = manage(*arguments, TALOS_DATA_DIR=str(data), **variables)
    assert done.returncode == 0, done.stderr
