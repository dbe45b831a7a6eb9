"""Whether a database was made by a newer version of Talos than this one."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

NEWER = (
    "The database was upgraded by a newer version of Talos: this one does not know {}. Update "
    "Talos, or restore the backup from before the update."
)


def refuse_newer(using: str = "default", **_: object) -> None:
    """Before a command does anything to the database. Raises `CommandError`."""
    applied = MigrationRecorder(connections[using]).applied_migrations()
    if unknown := unknown_migration(applied):
        raise CommandError(NEWER.format(unknown))


def unknown_migration(applied: Iterable[tuple[str, str]]) -> str | None:
    """The first applied migration that this version does not have, as `app.name`, or None.

    `applied` has the app and the name of each.
    """
    known = MigrationLoader(None).disk_migrations
    replaced = {name for migration in known.values() for name in migration.replaces}
    unknown = sorted(set(applied) - known.keys() - replaced)
    return ".".join(unknown[0]) if unknown else None
