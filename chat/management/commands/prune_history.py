"""`manage.py prune_history`: delete old conversations, after saying how many."""

from __future__ import annotations

import re
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from chat.access.operator import operator
from chat.management.database import explain_errors
from chat.management.options import get_user
from chat.management.progress import Progress
from chat.management.signals import number_of
from chat.management.stopping import Stop
from chat.management.words import day, megabytes, number
from chat.models import Audit
from chat.services import hidden
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Amount, Rules, measure
from chat.upkeep.prune.space import Space, size

UNITS = {"h": timedelta(hours=1), "d": timedelta(1), "w": timedelta(7), "y": timedelta(365)}
LONGEST = timedelta(36_500)


class Command(BaseCommand):
    help = (
        "Permanently delete old conversations with everything in them. Says how many, then asks. "
        "The server may keep running: open pages are told, and answers continue. A conversation "
        "is kept while an answer in it is running, queued or waiting for approval. Ctrl+C stops "
        "between two batches; the next run deletes the rest. "
        "Make a backup first: manage.py backup FILE."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_argument_group("which conversations (all conditions must hold)")
        which.add_argument(
            "--older-than",
            type=age,
            metavar="90d",
            help="unused for this long: a number and h, d, w or y (hours, days, weeks, years)",
        )
        which.add_argument(
            "--keep-newest",
            type=count,
            default=0,
            metavar="N",
            help="keep each user's newest N of the conversations that would be deleted",
        )
        which.add_argument("--archived-only", action="store_true", help="only archived ones")
        which.add_argument("--keep-pinned", action="store_true", help="keep pinned ones")
        which.add_argument("--user", metavar="NAME", help="only this user's")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> str:
        with explain_errors():
            rules = read_rules(options)
            found = measure(rules)
            self.stdout.write(f"{rules}: {summary(found)}")
            is_unfinished = bool(hidden.list_leaving())
            if not found.conversations and not is_unfinished:
                return "There is nothing to delete."
            if is_unfinished:
                self.stdout.write("An earlier deletion is unfinished and will be completed.")
            if options["dry_run"]:
                return "Nothing was deleted: this was a dry run."
            if found.conversations and not options["yes"] and not confirm():
                return "Nothing was deleted."
            return self._prune(rules, found)

    def _prune(self, rules: Rules, found: Amount) -> str:
        before = size()
        prune = Prune(
            rules, Audit(action="prune", source=Audit.Source.COMMAND, operator=operator())
        )
        with Stop() as stop:
            with (
                explain_errors(is_there=False, so_far=lambda: report_deleted(prune, found)),
                Progress("deleted", found.conversations) as progress,
            ):
                while not stop.is_asked and (pause := prune.step()) is not None:
                    progress.at(prune.deleted)
                    time.sleep(pause)
            space = Space()
            while not stop.is_asked and (pause := space.step()) is not None:
                time.sleep(pause)
        report = f"{report_deleted(prune, found)} {report_freed(before)}"
        if stop.is_asked:
            raise CommandError(f"Stopped. {report}", returncode=stop.status)
        return report


def age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})\s*([hdwy])", text.strip().lower())
    if match is None:
        raise ArgumentTypeError(
            f"{text!r} is not an age: use a number and h, d, w or y, for example 90d for 90 days"
        )
    found = int(match[1]) * UNITS[match[2]]
    if found > LONGEST:
        raise ArgumentTypeError(f"{text!r} is more than a hundred years")
    return found


def count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 1_000_000_000):
        raise ArgumentTypeError(f"{text!r} is not a number of conversations: use 1 or more")
    return int(text)


def read_rules(options: dict[str, Any]) -> Rules:
    given = options["older_than"], options["keep_newest"] or None, options["archived_only"] or None
    if all(option is None for option in given):
        raise CommandError(
            "Which ones? Add --older-than 90d, --keep-newest 100 or --archived-only."
        )
    return Rules(
        older_than=options["older_than"],
        keep_newest=options["keep_newest"],
        keep_pinned=options["keep_pinned"],
        archived_only=options["archived_only"],
        owner=get_user(options["user"]) if options["user"] is not None else None,
    )


def summary(found: Amount) -> str:
    verbs = "is in use and stays" if found.in_use == 1 else "are in use and stay"
    in_use = f" {found.in_use:,} more {verbs}." if found.in_use else ""
    if found.oldest is None or found.newest is None:
        return f"none.{in_use}"
    return (
        f"{found.conversations:,} with {number(found.messages, 'message')} and "
        f"{megabytes(found.size)} of text, last used from {day(found.oldest)} to {day(found.newest)}.{in_use}"
    )


def confirm() -> bool:
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to ask for confirmation: add --yes to delete them."
        )
    try:
        return input("Permanently delete them? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
    except KeyboardInterrupt as stopped:
        status = 128 + number_of(stopped)
        raise CommandError("Stopped. Nothing was deleted.", returncode=status) from None


def report_deleted(prune: Prune, found: Amount) -> str:
    messages = number(prune.messages, "message")
    what = f"Deleted {number(prune.deleted, 'conversation')} with {messages}"
    left = found.conversations - prune.deleted
    return f"{what}; {left:,} are left." if left > 0 else f"{what}."


def report_freed(before: int) -> str:
    if connection.vendor != "sqlite":
        return "PostgreSQL reuses their space automatically (autovacuum)."
    return f"The database is {megabytes(max(before - size(), 0))} smaller."
