"""`manage.py import_history`: import conversations from files."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from chat.access.owner import LOCAL_OWNER, local_owner
from chat.management.database import explain_errors
from chat.management.long_help import LongHelpCommand
from chat.management.options import get_user
from chat.management.progress import Progress
from chat.management.stopping import Stop
from chat.models import Audit
from chat.services.imports.run import Import, Report

_HELP = """\
Import conversations: files that export_history wrote (JSON Lines or JSON, docs/archive.md), or a
ChatGPT export, either its ZIP file as downloaded or the conversations.json in it. The format of a
file and of each conversation in it is recognised from its content.

A conversation that exists already only gets the messages that are new in the file, so importing a
file twice is safe. If its messages differ, it is kept as it is and reported; with --renew it is
replaced, unless somebody has continued it here. A conversation whose id belongs to another user
gets a new one. Each is imported completely or not at all. Answers that were unfinished in the
export become interrupted; no call is run, and imported approvals allow nothing.

All conversations become yours; with --user, that user's; with --keep-owners, those of the users
that the file names.

  manage.py import_history history.jsonl --dry-run
  manage.py import_history history.jsonl
  gunzip -c history.jsonl.gz | manage.py import_history -
  manage.py import_history chatgpt-export.zip
  manage.py import_history conversations-000.json conversations-001.json

Images and other files of an export are not imported; the report counts them. A dry run prints the
same report.

Each skipped conversation is reported with its line and the reason. Exit status: 0 if everything in
the files is here now, 1 if something is not. Imported conversations stay in either case, and also
if the command is stopped: run it again to continue. A replacement under way is finished first. If
the command is killed during one, or the disk fills up, the earlier conversation is gone; import the
file again to get the file's.
"""
_AGAIN = " Run it again to continue."


class Command(LongHelpCommand):
    help = _HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("files", nargs="+", metavar="FILE", help="a file; - for standard input")
        add(
            "--format",
            choices=("auto", "jsonl", "json", "chatgpt"),
            default="auto",
            help="the format, if it is not recognised",
        )
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--user", metavar="NAME", help="the owner of the imported conversations")
        whose.add_argument(
            "--keep-owners", action="store_true", help="keep the owners that the file names"
        )
        add(
            "--renew",
            action="store_true",
            help="replace earlier imports that differ from the file, "
            "unless somebody has continued them",
        )
        add("--dry-run", action="store_true", help="only say what would be imported")

    def handle(self, *args: Any, **options: Any) -> str:
        with explain_errors(), Stop() as stop:
            run = _run(options, stop)
            names: list[str] = options["files"]
            done = lambda: f"{run.summary().capitalize()} before that.{_AGAIN}"  # noqa: E731
            with explain_errors(is_there=False, so_far=done):
                for name in names:
                    self._file(run, name, stop)
            summary = run.finish(" ".join(names))
        if stop.is_asked:
            raise CommandError(f"Stopped. {summary}{_AGAIN}", returncode=stop.status)
        if run.has_faults:
            raise CommandError(f"{summary} The skipped ones are listed above.")
        return summary

    def _file(self, run: Import, name: str, stop: Stop) -> None:
        try:
            with _open(name) as file, Progress("read") as progress:
                for done, report in enumerate(_import(run, file, name), start=1):
                    progress.at(done)
                    self._print(report)
                    if stop.is_asked:
                        return
        except _Stopped:
            return
        except _Unreadable as error:
            self._print(run.unreadable(name, str(error)))

    def _print(self, report: Report) -> None:
        if report.is_fault:
            self.stderr.write(f"Skipped: {report}")
        elif report.note:
            self.stdout.write(str(report))


class _Stopped(Exception):
    """Stop the import; nothing of the conversation under way is kept."""


class _Unreadable(Exception):
    """A file that cannot be opened or read."""


def _import(run: Import, file: BinaryIO, name: str) -> Iterator[Report]:
    """Import a file. Raises `_Unreadable` for errors of the file, not of the output."""
    try:
        yield from run.file(file, name)
    except OSError as error:
        raise _Unreadable(error.strerror or "it cannot be read") from None


def _run(options: dict[str, Any], stop: Stop) -> Import:
    def on_step(_part: float) -> None:
        if stop.is_asked:
            raise _Stopped

    owner = None
    if not options["keep_owners"]:
        owner = get_user(options["user"] or LOCAL_OWNER)
    return Import(
        owner,
        cache(_find_user),
        source=Audit.Source.COMMAND,
        kind=options["format"],
        dry_run=options["dry_run"],
        renew=options["renew"],
        on_step=on_step,
    )


def _find_user(name: str) -> User | None:
    return local_owner() if name == LOCAL_OWNER else User.objects.filter(username=name).first()


def _open(name: str) -> AbstractContextManager[BinaryIO]:
    try:
        return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise _Unreadable(error.strerror or "it cannot be opened") from None
