"""Runs hand-written statements: those that every turn needs, and no others.

Django takes ten times as long to build such a statement as the database takes to run it: more than
half of a turn's CPU time. Anything less frequent goes through the ORM.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, Field, Model

M = TypeVar("M", bound=Model)


def select(statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Return all rows of a query. SQLite's ids and times come as text."""
    here = connections[DEFAULT_DB_ALIAS]
    with here.wrap_database_errors, closing(_execute(statement, values)) as cursor:
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def fetch(model: type[M], rest: str, *values: object) -> list[M]:
    """Return whole rows of one model. `rest` is the statement from its WHERE on."""
    beginning, names, converters = _selection(model)
    found = []
    for row in select(f"{beginning} {rest}", *values):
        fields = list(row)
        for place, column, convert in converters:
            fields[place] = convert(fields[place], column, connection)
        found.append(model.from_db(connection.alias, names, fields))
    return found


def change(statement: str, *values: object) -> int:
    """Run an UPDATE, DELETE or INSERT. Returns the number of rows."""
    with closing(_execute(statement, values)) as cursor:
        return int(cursor.rowcount)


def insert(*rows: Model) -> None:
    """Store new rows of one model in one statement, as `bulk_create` does.

    Our models have no field that needs more than `_adapt`. If the database assigns the key, there
    is only one row, which gets it.
    """
    model = type(rows[0])
    statement, fields = _insertion(model, len(rows))
    values = [getattr(row, field.attname) for row in rows for field in fields]
    with closing(_execute(statement, values)) as cursor:
        if rows[0].pk is None:
            can_return = connection.features.can_return_columns_from_insert
            rows[0].pk = cursor.fetchall()[0][0] if can_return else cursor.lastrowid
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _execute(statement: str, values: Iterable[object]) -> Any:
    """Run a statement and return its cursor, which the caller closes.

    On SQLite this bypasses Django's cursor, which takes as long as the statement, unless queries
    are logged or wrapped.
    """
    here = connections[DEFAULT_DB_ALIAS]  # `connection` would look it up at every access
    if _is_native() or here.queries_logged or here.execute_wrappers:
        cursor = here.cursor()
        cursor.execute(statement, _adapt(values))
        return cursor
    here.ensure_connection()
    here.validate_no_broken_transaction()
    with here.wrap_database_errors:
        return here.connection.execute(_in_sqlite(statement), _adapt(values))


@cache
def _in_sqlite(statement: str) -> str:
    return statement.replace("%s", "?")


@cache
def _selection(model: type[Model]) -> tuple[str, list[str], list[tuple[int, Any, Any]]]:
    """Return the statement's beginning, the fields' names, and their converters."""
    table = model._meta.db_table
    columns = [field.get_col(table) for field in model._meta.concrete_fields]
    converters = [
        (place, column, convert)
        for place, column in enumerate(columns)
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.get_db_converters(connection),
        )
    ]
    quoted = ", ".join(connection.ops.quote_name(str(column.target.column)) for column in columns)
    beginning = f"SELECT {quoted} FROM {connection.ops.quote_name(table)}"  # noqa: S608  # only names
    return beginning, [column.target.attname for column in columns], converters


@cache
def _insertion(model: type[Model], number: int) -> tuple[str, list[Field[Any, Any]]]:
    meta = model._meta
    fields = [field for field in meta.concrete_fields if not isinstance(field, AutoField)]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    values = ", ".join([f"({marks})"] * number)
    statement = f"INSERT INTO {quoted(meta.db_table)} ({columns}) VALUES {values}"  # noqa: S608  # only names and marks
    is_numbered = isinstance(meta.pk, AutoField)
    if is_numbered and connection.features.can_return_columns_from_insert:
        statement += f" RETURNING {quoted(str(meta.pk.column))}"
    return statement, fields


def _adapt(values: Iterable[object]) -> list[Any]:
    """Convert values for SQLite; PostgreSQL takes them as they are."""
    return list(values) if _is_native() else [_as_text(value) for value in values]


@cache
def _is_native() -> bool:
    return bool(connection.features.has_native_uuid_field)


def _as_text(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
