"""An import as a whole: files read, conversations made, counted, written down and told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chat import publish
from chat.models import Audit
from chat.operator import operator
from chat.protocol import ConversationChanged, ConversationChangedData
from chat.services.imports import FindUser, Imported, Outcome, import_conversation
from chat.transfer.kinds import Kind
from chat.transfer.reading import Found, read


@dataclass(frozen=True)
class Report:
    """What became of one piece of a file."""

    file: str
    line: int
    """0: all of the file is meant."""
    title: str
    conversation_id: UUID | None
    outcome: Outcome | None
    """None: there was nothing in it."""
    note: str

    @property
    def is_fault(self) -> bool:
        return self.outcome is Outcome.SKIPPED

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        title = f": “{self.title}”" if self.title else ""
        which = f" ({self.conversation_id})" if self.conversation_id else ""
        return f"{place}{title}{which}: {self.note}."


class Import:
    """One run over some files. `finish` says what came of it; what is imported by then stays."""

    def __init__(
        self,
        owner: User | None,
        find_user: FindUser,
        *,
        source: Audit.Source,
        by: User | None = None,
        kind: Kind = "auto",
        dry_run: bool = False,
    ) -> None:
        self.counts: Counter[Outcome | None] = Counter()
        self._owner = owner
        """Whose all become; None: of the users that the file names."""
        self._find_user = find_user
        self._kind = kind
        self._dry_run = dry_run
        self._would: set[UUID] = set()
        """Of a dry run: what would be there by now."""
        who = operator() if source == Audit.Source.COMMAND else ""
        self._audit = Audit(action="import", source=source, by=by, operator=who)
        self._latest: dict[int, UUID] = {}
        """By owner what was imported last."""

    @property
    def has_faults(self) -> bool:
        return bool(self.counts[Outcome.SKIPPED])

    def file(self, file: BinaryIO, name: str) -> Iterator[Report]:
        """Import a file's conversations, one with each step."""
        for found in read(file, self._kind):
            report = self._report(found, name)
            self.counts[report.outcome] += 1
            yield report

    def unreadable(self, name: str, why: str) -> Report:
        """Count a file that cannot be read as a fault, too."""
        self.counts[Outcome.SKIPPED] += 1
        return Report(name, 0, "", None, Outcome.SKIPPED, why)

    def _report(self, found: Found, name: str) -> Report:
        archived = found.conversation
        if archived is None:
            outcome = None if found.is_empty else Outcome.SKIPPED
            return Report(name, found.line, found.title, None, outcome, found.fault)
        owner = self._owner or self._find_user(archived.owner)
        if owner is None:
            note = f"there is no user {archived.owner!r} here: make one in the admin, or use --user"
            done = Imported(Outcome.SKIPPED, archived.id, note)
        elif self._dry_run and archived.id in self._would:
            done = Imported(Outcome.PRESENT, archived.id, "it comes more than once in the file")
        else:
            self._write_down(name)
            done = import_conversation(
                owner, archived, find_user=self._find_user, dry_run=self._dry_run
            )
            self._note(owner, archived.id, done)
        return Report(
            name, found.line, archived.title, done.conversation_id, done.outcome, done.note
        )

    def _write_down(self, name: str) -> None:
        """Before the first conversation is there: also an import that is cut off was one."""
        if self._audit.pk is None and not self._dry_run:
            self._audit.summary = f"Import of {name[:200]}: not finished."
            self._audit.save(force_insert=True)

    def _note(self, owner: User, archived_id: UUID, done: Imported) -> None:
        if done.outcome is Outcome.IMPORTED:
            if self._dry_run:
                self._would.add(archived_id)
            else:
                self._latest[owner.pk] = done.conversation_id

    def finish(self, names: str) -> str:
        """The end: recorded, told to the pages of those who got something, and said in words."""
        summary = f"Import of {names[:200]}: {self.summary()}."
        with transaction.atomic():
            if self._audit.pk is not None:
                self._audit.summary = summary
                self._audit.save(update_fields=["summary"])
            for owner_id, conversation_id in self._latest.items():
                data = ConversationChangedData(session_id=str(conversation_id))
                publish.announce(owner_id, ConversationChanged(data=data))
        return summary

    def summary(self) -> str:
        imported = "would be imported" if self._dry_run else "imported"
        parts = [f"{self.counts[Outcome.IMPORTED]:,} {imported}"]
        for outcome, words in [
            (Outcome.PRESENT, "here already"),
            (None, "empty"),
            (Outcome.SKIPPED, "skipped"),
        ]:
            if self.counts[outcome]:
                parts.append(f"{self.counts[outcome]:,} {words}")
        return ", ".join(parts)
