"""Why the database cannot be used: in its own words, without secrets, and with advice."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from pathlib import Path
from pwd import getpwuid
from typing import Any
from urllib.parse import quote, quote_plus

from django.conf import settings
from django.db import InterfaceError, OperationalError

_UNKNOWN = "it does not answer"
_PREPARE = "Run: python manage.py migrate"
_WRITTEN = "@ : / ? # and % in it are written as %40 %3A %2F %3F %23 %25"
_ADVICE = {
    # PostgreSQL's words, in any case
    "role .* does not exist": "Create it (createuser), or name another user in DATABASE_URL.",
    "password authentication failed": f"Check the user and the password in DATABASE_URL: {_WRITTEN}.",
    "no password supplied": f"Add the password: postgres://user:password@host/database; {_WRITTEN}.",
    "database .* does not exist": "Create it (createdb), or name another database in DATABASE_URL.",
    "permission denied": "Let the user of DATABASE_URL own the database: ALTER DATABASE … OWNER TO …",
    "no pg_hba.conf entry|(peer|ident) authentication": "Allow this user in PostgreSQL's pg_hba.conf.",
    "configuration parameter|bad value|invalid (?!sslmode).* value": "Check what follows the ? in DATABASE_URL.",
    "sslmode|ssl|certificate": "Check sslmode in DATABASE_URL: postgres://…/database?sslmode=require, or disable.",
    "too many (connections|clients)|connection slots": "Raise max_connections, or close other connections.",
    "starting up|shutting down|recovery": "Try again in a moment.",
    "read-only": "Name a writable server in DATABASE_URL: this one is a replica, or set to read-only.",
    "refused|resolve|translate|unreachable|timeout|timed out|no such file|does not answer|closed": "Start PostgreSQL, or check the host and the port in DATABASE_URL.",
}
_SQLITE_ADVICE = {
    "unable to open|readonly|read-only": "Let that user read and write the file and its directory.",
    "full": "Free some space on its disk.",
    "disk i/o error": "Check its disk, and the system's log.",
    "not a database|malformed": "Restore a backup into another directory (TALOS_DATA_DIR).",
}
_PLACE = re.compile(
    "unable to open|readonly|read-only|full|disk i/o|not a database|malformed", re.I
)
_MISSING = {"42P01", "42703"}
"""PostgreSQL: undefined_table, undefined_column."""


def reason(error: BaseException) -> str:
    """Return one line for a log: the database's own words, and the owner of SQLite's file."""
    lines = str(error).strip().splitlines() or [_UNKNOWN]
    said = re.sub(r"^connection failed: ", "", _redact(lines[0])).rstrip(".")
    if _is_sqlite(error) and _PLACE.search(said):
        return f"{said}: {_place(Path(settings.DATABASES['default']['NAME']))}"
    return said


def explain(error: BaseException) -> str | None:
    """Explain an error to the person who runs a command. None: it is the program's, not the database's."""
    said, code = reason(error), getattr(error.__cause__, "sqlstate", None)
    if code in _MISSING or re.search("no such (table|column)", said):
        return f"The database is not prepared ({said}). {_PREPARE}"
    if re.search("locked|lock timeout", said):
        return (
            "The database is busy: another program has locked it for more than 5 seconds. "
            "Try again in a moment."
        )
    if not (
        isinstance(error, OperationalError | InterfaceError) or code == "42501" or _is_broken(said)
    ):
        return None
    known = _SQLITE_ADVICE if _is_sqlite(error) else _ADVICE
    advice = next((text for words, text in known.items() if re.search(words, said, re.I)), "")
    return f"The database cannot be used: {said}.{advice and ' '}{advice}"


def _is_broken(said: str) -> bool:
    return "not a database" in said or "malformed" in said


def _is_sqlite(error: BaseException) -> bool:
    return isinstance(error.__cause__ or error, sqlite3.Error)


def _redact(text: str) -> str:
    """Remove the password, however it is written, and whole addresses."""
    database: dict[str, Any] = settings.DATABASES["default"]
    secrets = [
        database.get("PASSWORD"),
        *map(database.get("OPTIONS", {}).get, ("password", "sslpassword")),
    ]
    written = {
        form(secret) for secret in secrets if secret for form in (str, quote, quote_plus, _quoted)
    }
    # A value that is also the user or the database is not secret, and the text needs it.
    for secret in sorted(
        written - {database.get(name) for name in ("USER", "NAME", "HOST")}, key=len, reverse=True
    ):
        text = text.replace(secret, "***")
    return re.sub(r"postgres(ql)?://[^\s\"']+", "DATABASE_URL", text)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _place(file: Path) -> str:
    return f"{_named(file)} in {_named(file.parent)}; this is user {_user(os.geteuid())}"


def _named(path: Path) -> str:
    """Describe a path with its owner and permissions, as far as they are visible."""
    try:
        found = path.stat()
    except OSError as error:
        return f"{path} ({(error.strerror or 'it is not visible').lower()})"
    return f"{path} (owner {_user(found.st_uid)}, {stat.filemode(found.st_mode)})"


def _user(number: int) -> str:
    try:
        return getpwuid(number).pw_name
    except KeyError:
        return str(number)
