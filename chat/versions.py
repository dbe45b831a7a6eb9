"""Whether a database was made by a newer version of Talos than this one."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations.loader import MigrationLoader


def unknown_migration(applied: Iterable[tuple[str, str]]) -> str | None:
    """The first applied migration that this version does not have, as `app.name`, or None.

    `applied` has the app and the name of each.
    """
    known = MigrationLoader(None).disk_migrations
    replaced = {name for migration in known.values() for name in migration.replaces}
    unknown = sorted(set(applied) - known.keys() - replaced)
    return ".".join(unknown[0]) if unknown else None
