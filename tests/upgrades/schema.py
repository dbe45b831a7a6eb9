"""A database's schema, row counts and integrity, in a form that can be compared."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

Place = Path | str
"""An SQLite file, or the address of a PostgreSQL database."""

_SQLITE: tuple[str, ...] = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
    "SELECT 'auto_vacuum', auto_vacuum FROM pragma_auto_vacuum",
)
_POSTGRESQL: tuple[str, ...] = (
    "SELECT table_name, column_name, udt_name, character_maximum_length, numeric_precision,"
    " numeric_scale, is_nullable, column_default, identity_generation"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT tgrelid::regclass, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT sequencename, data_type::text, increment_by FROM pg_sequences"
    " WHERE schemaname = 'public'",
)
# not those in which the word index keeps its pages
_SQLITE_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table'"
    " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'chat_searchwords%'"
)
_POSTGRESQL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def query(place: Place, statement: str) -> list[tuple[Any, ...]]:
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as file:
            return file.execute(statement).fetchall()
    with psycopg.connect(place) as database:
        return database.execute(statement.encode()).fetchall()


def described(place: Place) -> set[str]:
    """Return tables with their columns, indexes, constraints, triggers and sequences."""
    if isinstance(place, str):
        statements, casts = _POSTGRESQL, r"::(character varying|text)(\[\])?|[()]"
    else:
        statements, casts = _SQLITE, r"[\"'`]"
    # what was loaded from a dump, or made anew by a migration, is spelled a little differently
    found = (" ".join(map(str, row)) for each in statements for row in query(place, each))
    return {" ".join(re.sub(casts, "", line).split()) for line in found}


def rows(place: Place) -> Counter[str]:
    """Return the number of rows in each table."""
    tables = [
        name
        for (name,) in query(
            place, _POSTGRESQL_TABLES if isinstance(place, str) else _SQLITE_TABLES
        )
    ]
    count = "SELECT count(*) FROM {}"
    return Counter({name: query(place, count.format(name))[0][0] for name in tables})


def faults(place: Place) -> list[str]:
    """Run SQLite's integrity checks; PostgreSQL checks rows when they are inserted."""
    if isinstance(place, str):
        return []
    whole = [text for (text,) in query(place, "PRAGMA integrity_check") if text != "ok"]
    return whole + [str(row) for row in query(place, "PRAGMA foreign_key_check")]
