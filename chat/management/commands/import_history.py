"""`manage.py import_history`: conversations out of files."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from chat.access.owner import LOCAL_OWNER, local_owner
from chat.management.database import explained
from chat.management.options import user_named
from chat.management.progress import Progress
from chat.management.stopping import Stop
from chat.models import Audit
from chat.services.imports.run import Import, Report

_HELP = """\
Bring conversations in: what export_history wrote (JSON Lines or JSON, docs/archive.md), or a ChatGPT
export: its ZIP file as it was downloaded, or the conversations.json in it. What a file is, and each
conversation in it, is seen from what is in it.

A conversation that is here already only gets what it has more in the file, and a file may be
imported twice. If it is another one in the file, it is left as it is and named; with --renew it is
replaced, unless somebody has gone on with it here. One whose id is somebody else's gets a new one.
Each is imported whole or not at all. Answers that were not over when they were exported become
interrupted; nothing is run, and imported approvals allow nothing.

All become yours; with --user that user's; with --keep-owners those users' that the file names.

  manage.py import_history history.jsonl --dry-run
  manage.py import_history history.jsonl
  gunzip -c history.jsonl.gz | manage.py import_history -
  manage.py import_history chatgpt-export.zip
  manage.py import_history conversations-000.json conversations-001.json

Images and other files of an export are not brought in: the report counts them. A dry run says what
the import would say.

Each conversation that is skipped is named, with its line and the reason. Exit status: 0 when all
that is in the files is here now, 1 when something is not. What was imported stays in either case,
and so it does when the command is stopped: run it again to go on. One that is being replaced is
finished before that; if it is killed in the middle of it, or the disk fills up, the earlier one is
gone, and the next import of the file brings the file's.
"""
_AGAIN = " Run it again to go on."


class Command(BaseCommand):
    help = _HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("files", nargs="+", metavar="FILE", help="a file; - is the standard input")
        add(
            "--format",
            choices=("auto", "jsonl", "json", "chatgpt"),
            default="auto",
            help="what the files are, if it cannot be seen",
        )
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--user", metavar="NAME", help="whose they become")
        whose.add_argument(
            "--keep-owners", action="store_true", help="they stay those of the users in the file"
        )
        add(
            "--renew",
            action="store_true",
            help="replace what was imported before and is another one in the file, "
            "unless somebody has gone on with it",
        )
        add("--dry-run", action="store_true", help="only say what would be imported")

    def handle(self, *args: Any, **options: Any) -> str:
        with explained(), Stop() as stop:
            run = _run(options, stop)
            names: list[str] = options["files"]
            done = lambda: f"{run.summary().capitalize()} before that.{_AGAIN}"  # noqa: E731
            with explained(is_there=False, so_far=done):
                for name in names:
                    self._file(run, name, stop)
            summary = run.finish(" ".join(names))
        if stop.asked:
            raise CommandError(f"Stopped. {summary}{_AGAIN}", returncode=stop.status)
        if run.has_faults:
            raise CommandError(f"{summary} What was skipped is named above.")
        return summary

    def _file(self, run: Import, name: str, stop: Stop) -> None:
        try:
            with _opened(name) as file, Progress("looked at") as progress:
                for done, report in enumerate(_reported(run, file, name), start=1):
                    progress.at(done)
                    self._name(report)
                    if stop.asked:
                        return
        except _Stopped:
            return
        except _Unreadable as error:
            self._name(run.unreadable(name, str(error)))

    def _name(self, report: Report) -> None:
        if report.is_fault:
            self.stderr.write(f"Skipped: {report}")
        elif report.note:
            self.stdout.write(str(report))


class _Stopped(Exception):
    """Nothing of the conversation that was on its way stays."""


class _Unreadable(Exception):
    """A file cannot be opened or read."""


def _reported(run: Import, file: BinaryIO, name: str) -> Iterator[Report]:
    """Raises `_Unreadable`: what goes wrong with the output is not the file's fault."""
    try:
        yield from run.file(file, name)
    except OSError as error:
        raise _Unreadable(error.strerror or "it cannot be read") from None


def _run(options: dict[str, Any], stop: Stop) -> Import:
    def on_step(_part: float) -> None:
        if stop.asked:
            raise _Stopped

    owner = None
    if not options["keep_owners"]:
        owner = user_named(options["user"] or LOCAL_OWNER)
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


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    try:
        return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise _Unreadable(error.strerror or "it cannot be opened") from None
