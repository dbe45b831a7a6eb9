"""`manage.py backup FILE`: everything that a dead disk would take, in one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from shlex import quote
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from chat.management import postgresql
from chat.management.options import file_named
from chat.management.progress import Progress
from chat.management.stopping import Stop
from chat.management.words import megabytes, moment, number
from chat.upkeep import backup

MB = 1024 * 1024


class Command(BaseCommand):
    help = (
        "Write a backup to FILE, while the server runs: all conversations, settings and users as "
        "they are now, the secret key, and the files of the tools' workspace. Not in it: .env "
        "and the environment, and the keys of model providers, also those that were entered in the "
        "browser. FILE is an SQLite database, is checked before it gets its name, and is for "
        "your eyes only: it holds all that was said. Bring it back with: manage.py restore FILE"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="on another disk, best")
        parser.add_argument("--force", action="store_true", help="overwrite FILE")
        parser.add_argument(
            "--without-workspace", action="store_true", help="leave the tools' files out"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        file = file_named(options["file"])
        if connection.vendor != "sqlite":
            raise CommandError(elsewhere(file))
        copied = Copied()
        with Stop() as stop, copied.progress:
            try:
                made = backup.make(
                    file,
                    force=options["force"],
                    workspace=not options["without_workspace"],
                    stop=lambda: stop.asked,
                    tell=copied.tell,
                )
            except backup.Stopped:
                raise CommandError(
                    "Stopped. Nothing was written.", returncode=stop.status
                ) from None
            except backup.BackupError as error:
                raise CommandError(f"{error}{copied}") from None
        return f"{summary(file, made)}\n{left_out(made, options['without_workspace'])}"


class Copied:
    """How much is, on a terminal and for a sentence about why the rest is not."""

    def __init__(self) -> None:
        self.progress = Progress("copied", what="MB")
        self._done = self._total = 0

    def tell(self, done: int, total: int) -> None:
        self._done, self._total = min(done, total), total
        self.progress.of(done // MB, max(total // MB, 1))

    def __str__(self) -> str:
        if not self._total:
            return ""
        far = f"{megabytes(self._done)} of {megabytes(self._total)}"
        return f" {far} had been copied; nothing of them is kept."


def summary(file: Path, made: backup.Contents) -> str:
    latest = f", the latest of {moment(made.latest)}" if made.latest else ""
    return (
        f"{file}: {conversations(made)}{latest}, and "
        f"{number(made.files, 'file')} of the workspace; {megabytes(made.size)}, checked."
    )


def conversations(found: backup.Contents) -> str:
    messages = number(found.messages, "message")
    return f"{number(found.conversations, 'conversation')} with {messages}"


def left_out(made: backup.Contents, without_workspace: bool) -> str:
    missing = [".env and the environment", "the keys of model providers"]
    if not made.has_secret_key:
        missing.append("the secret key (it is in the environment)")
    if without_workspace:
        missing.append("the workspace")
    return f"Not in it: {', '.join(missing)}."


def elsewhere(file: Path) -> str:
    """What to do on PostgreSQL."""
    url = quote(postgresql.url())
    return (
        "The database is PostgreSQL, which makes backups with a tool of its own:\n"
        f"  pg_dump --format=custom --no-owner --exclude-table-data={backup.KEYS} "
        f"--dbname={url} --file={quote(str(file))}\n"
        f"{postgresql.PASSWORD}\n"
        "Keys of model providers that were entered in the browser are left out.\n"
        f"{beside(file)}Nothing was written."
    )


def beside(file: Path) -> str:
    """How to keep what is in the data directory, if anything is."""
    names = [n for n in ("secret_key", "workspace") if (settings.DATA_DIR / n).exists()]
    if not names:
        return ""
    archive = quote(f"{file}.files.tar.gz")
    return (
        f"What is not in the database ({' and '.join(names)}):\n"
        f"  tar -C {quote(str(settings.DATA_DIR))} -czf {archive} {' '.join(names)}\n"
    )
