"""Whether a database was made by a newer version of Talos than this one."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db.migrations.loader import MigrationLoader


def unknown_migration(applied: Iterable[tuple[str, str]]) -> str | None:
    """The first applied migration that this version does not have, as `app.name`; None: none.

    `applied` has the app and the name of each. Apps that are not installed do not count: a setting
    may have turned them off.
    """
    installed = {app.label for app in apps.get_app_configs()}
    known = MigrationLoader(None).disk_migrations
    replaced = {name for migration in known.values() for name in migration.replaces}
    found = {(app, name) for app, name in applied if app in installed}
    unknown = sorted(found - known.keys() - replaced)
    return ".".join(unknown[0]) if unknown else None
