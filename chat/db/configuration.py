"""`DATABASES` for settings: SQLite in the data directory, or PostgreSQL by `DATABASE_URL`."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_HINT = "use postgres://user:password@host:5432/database, or unset it for SQLite"
_ESCAPED = "in the password @ : / ? # and % are written as %40 %3A %2F %3F %23 %25"

CONNECTIONS = 24
"""Most connections to PostgreSQL: one for each thread that may need one, so that none waits."""


def sqlite(directory: Path, synchronous: str) -> dict[str, Any]:
    """One file and, through the lock on its directory, one process."""
    pragmas = (
        # In WAL mode (`prepare`) readers never wait for the writer, and a killed process loses
        # nothing that was committed. NORMAL may lose the last commits in a power cut, FULL does
        # not, and neither corrupts.
        f"synchronous={synchronous}",
        # 16 MiB, for commands. In a server `lanes.checkpoint` comes first, beside the writer: when
        # the writer did it, at SQLite's 4 MiB, one commit in a hundred took 20 to 400 ms longer.
        "wal_autocheckpoint=4096",
        "journal_size_limit=67108864",  # a burst's WAL shrinks back to 64 MiB
        "cache_size=-16000",  # 16 MB a connection
        "temp_store=MEMORY",
        "mmap_size=0",  # an I/O error is then an exception, not a SIGBUS
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": directory / "talos.sqlite3",
        # Connections stay open: a new one runs the pragmas, and closing the last one checkpoints.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 5,  # seconds to wait for another writer
            # A transaction that reads first and writes later would fail at once under DEFERRED.
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(f"PRAGMA {pragma}" for pragma in pragmas),
        },
        # A file, not memory: the lanes of `chat/db/lanes.py` are threads with their own connections.
        "TEST": {"NAME": str(directory / "test.sqlite3")},
    }


def prepare(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Set up a new SQLite file: WAL, incremental vacuum, and no access for other users.

    The vacuum mode has to be set before anything is written. An existing file is left alone: both
    take the write lock, and a reader must not wait for it.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                Path(connection.settings_dict["NAME"]).chmod(0o600)  # its WAL inherits this
                cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
                cursor.execute("PRAGMA journal_mode=WAL")


def postgresql(url: str) -> dict[str, Any]:
    """The database that a URL names. The URL holds a password and never appears in a message."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"DATABASE_URL is not a URL: {_HINT}; {_ESCAPED}.") from None
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL has an unknown scheme: {_HINT}.")
    # A / ? or # in a password would start the rest of the address.
    if "@" in parts.path + parts.fragment or ("@" in parts.query and "@" not in parts.netloc):
        raise ImproperlyConfigured(f"DATABASE_URL has an @ in an odd place: {_ESCAPED}.")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured(f"DATABASE_URL names no database: {_HINT}.")
    return {
        "ENGINE": "chat.db.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        # The pool keeps connections; Django must return them after each request.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # the pool hands out no broken ones
        "OPTIONS": {**_limits(), **_options(parts.query)},
    }


def _limits() -> dict[str, Any]:
    """Return how long a connection, a query and a lock may take."""
    return {
        # While the server is away, callers learn of it soon, and no attempt backs off for long.
        "pool": {
            "min_size": 1,
            "max_size": CONNECTIONS,
            "timeout": 3,
            "reconnect_timeout": 3,
        },
        "connect_timeout": 5,
        # Do not wait forever for a network that swallows packets.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        # No query, lock or forgotten transaction may hold up the server for longer.
        # Migrations are exempt from the first and the last: `lift_limits`.
        "options": "-c statement_timeout=10000 -c lock_timeout=5000"
        " -c idle_in_transaction_session_timeout=10000",
    }


def _options(query: str) -> dict[str, str]:
    """Read the part after the `?`, whose options PostgreSQL's library has to know."""
    given = dict(parse_qsl(query))
    if given:
        from psycopg.pq import Conninfo  # late: SQLite does not need it

        known = {option.keyword.decode() for option in Conninfo.get_defaults()}
        for name in given.keys() - known - {"assume_role"}:  # Django's own
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "leave it out."
            raise ImproperlyConfigured(f"DATABASE_URL has an unknown option {name!r}: {hint}")
    return given


def lift_limits(using: str, **_: object) -> None:
    """Lift the limits before migrations: a large database may need longer than they allow."""
    _each_limit(using, "SET {} = 0")


def set_limits(using: str, **_: object) -> None:
    """Set the limits again: the server may go on using this connection."""
    _each_limit(using, "RESET {}")


def _each_limit(using: str, statement: str) -> None:
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(statement.format(limit))
