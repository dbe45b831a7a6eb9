"""`manage.py backup FILE`: everything that a dead disk would destroy, in one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from shlex import quote
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from chat.management import postgresql
from chat.management.options import expand_path
from chat.management.progress import Progress
from chat.management.stopping import Stop
from chat.management.words import megabytes, moment, number
from chat.upkeep import backup

MB = 1024 * 1024


class Command(BaseCommand):
    help = (
        "Write a backup to FILE; the server may keep running. It contains all conversations, "
        "settings and users as they are now, the secret key, and the files in the tools' workspace. "
        "It does not contain .env, the environment, or any keys of model providers, including "
        "those entered in the browser. FILE is an SQLite database, checked before it gets its "
        "name. Keep it private: it holds every conversation. To restore it: manage.py restore FILE"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", type=Path, help="where to write it, ideally on another disk"
        )
        parser.add_argument("--force", action="store_true", help="overwrite FILE")
        parser.add_argument(
            "--without-workspace", action="store_true", help="leave out the tools' files"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        file = expand_path(options["file"])
        if connection.vendor != "sqlite":
            raise CommandError(elsewhere(file))
        copied = Copied()
        with Stop() as stop, copied.progress:
            try:
                made = backup.make(
                    file,
                    force=options["force"],
                    workspace=not options["without_workspace"],
                    stop=lambda: stop.is_asked,
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
    """How much is copied: shown on a terminal, and in the error if the copy fails."""

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
        return f" {far} had been copied; nothing was kept."


def summary(file: Path, made: backup.Contents) -> str:
    latest = f", the latest from {moment(made.latest)}" if made.latest else ""
    return (
        f"{file}: {conversations(made)}{latest}, and "
        f"{number(made.files, 'workspace file')}; {megabytes(made.size)}, checked."
    )


def conversations(found: backup.Contents) -> str:
    messages = number(found.messages, "message")
    return f"{number(found.conversations, 'conversation')} with {messages}"


def left_out(made: backup.Contents, without_workspace: bool) -> str:
    missing = [".env and the environment", "the keys of model providers"]
    if not made.has_secret_key:
        missing.append("the secret key (set in the environment)")
    if without_workspace:
        missing.append("the workspace")
    return f"Not included: {', '.join(missing)}."


def elsewhere(file: Path) -> str:
    """Say what to do on PostgreSQL."""
    url = quote(postgresql.url())
    return (
        "The database is PostgreSQL, which has its own backup tool:\n"
        f"  pg_dump --format=custom --no-owner --exclude-table-data={backup.KEYS} "
        f"--dbname={url} --file={quote(str(file))}\n"
        f"{postgresql.PASSWORD}\n"
        "This leaves out the keys of model providers that were entered in the browser.\n"
        f"{beside(file)}Nothing was written."
    )


def beside(file: Path) -> str:
    """Say how to save the files in the data directory, if there are any."""
    names = [n for n in ("secret_key", "workspace") if (settings.DATA_DIR / n).exists()]
    if not names:
        return ""
    archive = quote(f"{file}.files.tar.gz")
    return (
        f"To save what is not in the database ({' and '.join(names)}):\n"
        f"  tar -C {quote(str(settings.DATA_DIR))} -czf {archive} {' '.join(names)}\n"
    )
