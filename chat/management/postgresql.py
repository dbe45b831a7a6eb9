"""The database's address for PostgreSQL's own tools, without its password."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.conf import settings

from chat.db import configuration

PASSWORD = "It asks for the password, or reads it from PGPASSWORD or ~/.pgpass."  # noqa: S105  # none
_NOT_SHOWN = {"password", *configuration.postgresql("postgres:///any")["OPTIONS"]}
"""The password, and options that only Talos's own connections need."""


def url() -> str:
    """Return `DATABASE_URL` without its password."""
    database = settings.DATABASES["default"]
    user = f"{quote(database['USER'], safe='')}@" if database["USER"] else ""
    port = f":{database['PORT']}" if database["PORT"] else ""
    options = {name: text for name, text in database["OPTIONS"].items() if name not in _NOT_SHOWN}
    query = f"?{urlencode(options)}" if options else ""
    host = database["HOST"]
    host = f"[{host}]" if ":" in host else quote(host, safe="")
    return f"postgresql://{user}{host}{port}/{quote(database['NAME'], safe='')}{query}"
