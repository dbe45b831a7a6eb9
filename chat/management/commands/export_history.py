"""`manage.py export_history`: write conversations into files."""

from __future__ import annotations

import gzip
from argparse import ArgumentParser, BooleanOptionalAction
from codecs import getincrementaldecoder
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from chat.management import export_formats
from chat.management.command_line import discard_output
from chat.management.database import explain_errors
from chat.management.long_help import LongHelpCommand
from chat.management.options import conversation_id, expand_path, get_user
from chat.management.progress import Progress
from chat.management.signals import number_of
from chat.management.words import number
from chat.models import Conversation
from chat.transfer import files
from chat.transfer.archive import writing
from chat.transfer.archive.encoders import Encoder
from chat.transfer.archive.format import VERSION, VERSIONS
from chat.transfer.archive.older import FirstVersion
from chat.transfer.archive.writing import Written
from chat.transfer.names import slug
from chat.transfer.selection import Ids, Selection

_HELP = """\
Write conversations into files, to keep, read elsewhere or move them.

Formats (docs/archive.md describes the first two; import_history reads them back without loss):
  jsonl     one conversation per line
  json      one document with all conversations
  markdown  to read: the current branch, then the other versions

An older Talos reads version 1 of the first two: --format-version 1 writes it, and reports on
standard error what is left out because version 1 has no key for it.

A file that ends in .gz is compressed. Without --output, everything goes to standard output. A
folder gets one file per conversation. A file or folder appears only when it is complete: an
interrupted export leaves nothing that looks like one. The server may keep running; each
conversation is written as it was at one moment.

  manage.py export_history --output history.jsonl
  manage.py export_history --since 2026-01-01 --no-archived --output chats/ --format markdown
  manage.py export_history --id 7d3bffc5-b241-4dc1-bc17-059bf8facc34 --format markdown
  manage.py export_history --output history.jsonl.gz

Exit status: 0 if everything was written, 1 with a reason if not, 130 or 143 if the command was
stopped, 141 if the reader of its output closed it.
"""


class Command(LongHelpCommand):
    help = _HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--output", "-o", metavar="PATH", help="a file, or a folder if it is one or ends in /")
        add(
            "--format",
            choices=export_formats.FORMATS,
            help="default: by the ending of PATH, else jsonl",
        )
        add(
            "--format-version",
            type=int,
            choices=VERSIONS,
            default=VERSION,
            help="version of jsonl and json: 1 for an older Talos",
        )
        add("--force", action="store_true", help="replace what is at PATH")
        add("--id", action="append", metavar="ID", help="only this conversation; may be repeated")
        add("--user", metavar="NAME", help="only this user's")
        add("--since", metavar="DATE", help="only those last used on this day or later")
        add("--until", metavar="DATE", help="only those last used on this day or earlier")
        add(
            "--archived",
            action=BooleanOptionalAction,
            help="only archived ones, or none of them; default: both",
        )

    def handle(self, *args: Any, **options: Any) -> str | None:
        with explain_errors():
            return self._export(options)

    def _export(self, options: dict[str, Any]) -> str | None:
        ids = Ids(_selection(options))
        older = FirstVersion() if options["format_version"] == 1 else None
        output = options["output"]
        if output:
            expand_path(Path(output))
        name = output if output and not _is_folder(output) else ""
        encoder = export_formats.encoder(options["format"], name, older)
        report = self._write(ids, encoder, options)
        if older and older.left_out:
            self.stderr.write(f"Left out, because version 1 has no keys for them: {older.left_out}")
        return report

    def _write(self, ids: Ids, encoder: Encoder, options: dict[str, Any]) -> str | None:
        output: str | None = options["output"]
        if output in (None, "-"):
            self._to_stdout(ids, encoder)
            return None
        to = _to_folder if _is_folder(output) else _to_file
        count = Count(len(ids))
        try:
            to(ids, encoder, Path(output), count, force=options["force"])
        except files.PlaceTaken as taken:
            raise CommandError(f"{taken}. Choose another --output, or add --force.") from None
        except OSError as error:
            kept = _kept(output, count)
            raise CommandError(f"{output} cannot be written: {error.strerror}.{kept}") from None
        except KeyboardInterrupt as stopped:
            status = 128 + number_of(stopped)
            raise CommandError(f"Stopped.{_kept(output, count)}", returncode=status) from None
        return f"Exported {number(count.done, 'conversation')} to {output}."

    def _to_stdout(self, ids: Ids, encoder: Encoder) -> None:
        decode = getincrementaldecoder("utf-8")().decode
        binary = getattr(self.stdout, "buffer", None)  # none if a test captures it
        count = Count(len(ids))
        try:
            with Progress("exported", count.total) as progress:
                for count.done, chunk in writing.together(ids, encoder):
                    progress.at(count.done)
                    if binary is not None:
                        binary.write(chunk)
                    else:
                        self.stdout.write(decode(chunk), ending="")
            self.stdout.flush()
        except BrokenPipeError:
            raise  # nobody reads the output
        except OSError as error:
            discard_output()
            written = f" {count.report()}." if count.total else ""
            raise CommandError(
                f"The output cannot be written: {error.strerror}.{written}"
            ) from None


@dataclass
class Count:
    """The progress of an export."""

    total: int
    done: int = 0

    def report(self, verb: str = "written") -> str:
        """Return, for example, `0 of 1 conversation was written`."""
        was = "was" if self.total == 1 else "were"
        return f"{self.done:,} of {number(self.total, 'conversation')} {was} {verb}"


def _is_folder(output: str) -> bool:
    return Path(output).is_dir() or output.endswith("/")


def _kept(output: str, count: Count) -> str:
    """Say what an interrupted export has left."""
    if not count.total:
        return ""
    if _is_folder(output) and any(Path(output).glob("[!.]*")):  # each file appeared by itself
        return f" {count.report()}, each completely."
    return f" {count.report('exported')}; nothing was kept."


def _to_file(ids: Ids, encoder: Encoder, target: Path, count: Count, *, force: bool) -> None:
    is_compressed = export_formats.is_compressed(target.name)
    with (
        files.whole_file(target, force=force) as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0)
        if is_compressed
        else nullcontext(file) as to,
        Progress("exported", count.total) as progress,
    ):
        for count.done, chunk in writing.together(ids, encoder):
            to.write(chunk)
            progress.at(count.done)


def _to_folder(ids: Ids, encoder: Encoder, target: Path, count: Count, *, force: bool) -> None:
    with (
        files.whole_folder(target, force=force) as folder,
        Progress("exported", count.total) as progress,
    ):
        for written in writing.conversations(ids, encoder):
            place = folder / file_name(written, encoder)
            with files.whole_file(place, force=force) as file:
                file.write(encoder.begin)
                file.writelines(written.chunks())
                file.write(encoder.end)
            count.done += 1
            progress.at(count.done)


def file_name(written: Written, encoder: Encoder) -> str:
    """Return a name that sorts by time and is unique by id, whatever the title."""
    day = timezone.localtime(written.created_at).date().isoformat()
    parts = (day, slug(written.title), str(written.id))
    return f"{'-'.join(filter(None, parts))}.{encoder.suffix}"


def _selection(options: dict[str, Any]) -> Selection:
    since, until = options["since"], options["until"]
    return Selection(
        ids=tuple(map(_conversation, options["id"] or ())),
        owner=get_user(options["user"]) if options["user"] is not None else None,
        since=_moment(since) if since else None,
        until=_moment(until, after=True) if until else None,
        archived=options["archived"],
    )


def _conversation(text: str) -> UUID:
    found = conversation_id(text)
    if not Conversation.objects.filter(pk=found).exists():
        raise CommandError(f"There is no conversation {found}.")
    return found


def _moment(text: str, *, after: bool = False) -> datetime:
    """Return a day's beginning (with `after`, its end) in the pages' time zone; or a given moment."""
    try:
        if day := parse_date(text):
            begin = datetime.combine(day, time.min) + timedelta(days=after)
            return timezone.make_aware(begin)
        if moment := parse_datetime(text):
            moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise CommandError(f"{text!r} is not a date: write it like 2026-11-23 or 2026-11-23T07:00.")
