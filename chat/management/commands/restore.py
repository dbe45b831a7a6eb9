"""`manage.py restore FILE`: restore a backup into an empty data directory."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from shlex import quote
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from chat.management import postgresql
from chat.management.commands.backup import Copied, conversations
from chat.management.database import explain_errors
from chat.management.options import expand_path
from chat.management.stopping import Stop
from chat.management.words import moment, number
from chat.upkeep import backup


class Command(BaseCommand):
    help = (
        "Restore a backup, made by `manage.py backup`, into a data directory (TALOS_DATA_DIR) that "
        "has no database yet. It brings back the secret key and the workspace, but no keys of model "
        "providers. FILE is checked first and never changed. It may come from an older version of "
        "Talos, but not from a newer one. Nothing is overwritten."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the backup")

    def handle(self, *args: Any, **options: Any) -> str:
        file = expand_path(options["file"])
        if connection.vendor != "sqlite":
            raise CommandError(elsewhere(file))
        copied = Copied()
        with Stop() as stop, explain_errors(is_there=False), copied.progress:
            try:
                found = backup.restore(file, stop=lambda: stop.is_asked, tell=copied.tell)
            except backup.Stopped:
                status = stop.status
                raise CommandError("Stopped. Nothing was restored.", returncode=status) from None
            except backup.BackupError as error:
                raise CommandError(f"{error}{copied}") from None
        return summary(found)


def summary(found: backup.Contents) -> str:
    latest = f", the latest from {moment(found.latest)}" if found.latest else ""
    key = "the secret key" if found.has_secret_key else "no secret key (a new one was created)"
    return (
        f"Restored to {settings.DATA_DIR}: {conversations(found)}{latest}, "
        f"{number(found.files, 'workspace file')} and {key}.\n"
        "Keys of model providers are not restored: enter them in the browser again.\n"
        "Start Talos: make run"
    )


def elsewhere(file: Path) -> str:
    """Say what to do on PostgreSQL."""
    url = quote(postgresql.url())
    return (
        "The database is PostgreSQL. To restore what pg_dump wrote into an empty database:\n"
        "  pg_restore --no-owner --exit-on-error --single-transaction "
        f"--dbname={url} {quote(str(file))}\n"
        f"{postgresql.PASSWORD}\n"
        "Then: python manage.py migrate\n"
        "Nothing was restored. A file that `manage.py backup` wrote on SQLite needs a data "
        "directory: unset DATABASE_URL."
    )
