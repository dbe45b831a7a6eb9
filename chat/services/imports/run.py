"""A whole import: reads files, imports their conversations, counts them and records the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chat import publish
from chat.access.operator import operator
from chat.llm.text import storable
from chat.models import Audit
from chat.protocol import ConversationChanged, ConversationChangedData
from chat.services.imports.conversation import OnStep, import_conversation
from chat.services.imports.existing import Here, Rehearsal
from chat.services.imports.plan import Imported, Outcome
from chat.services.imports.storing import FindUser
from chat.transfer.importers.kinds import Kind
from chat.transfer.importers.reading import Found, read

NOTES = 3
"""Notes reported per conversation."""
NOTE_LENGTH = 200
_CHANGED = (Outcome.IMPORTED, Outcome.GROWN, Outcome.RENEWED)
_KINDS = {"image": "image", "file": "file", "audio": "audio recording"}
"""Names of what was left out, in the order in which they are reported."""


@dataclass(frozen=True)
class Report:
    """The result for one conversation of a file, or for the whole file."""

    file: str
    line: int
    """0 for the whole file."""
    title: str
    conversation_id: UUID | None
    outcome: Outcome | None
    """None: the conversation is empty."""
    note: str
    position: int = 0
    """Its number in the file, from 1; 0 if its line identifies it."""

    @property
    def is_fault(self) -> bool:
        return self.outcome is Outcome.SKIPPED

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        if self.position:
            place = f"{self.file}, conversation {self.position} (line {self.line})"
        title = f": “{self.title}”" if self.title else ""
        which = f" ({self.conversation_id})" if self.conversation_id else ""
        return storable(f"{place}{title}{which}: {self.note}.")


class Import:
    """One run over some files. `finish` sums it up; conversations imported by then stay."""

    def __init__(
        self,
        owner: User | None,
        find_user: FindUser,
        *,
        source: Audit.Source,
        by: User | None = None,
        kind: Kind = "auto",
        dry_run: bool = False,
        renew: bool = False,
        on_step: OnStep = lambda part: None,
    ) -> None:
        self.counts: Counter[Outcome | None] = Counter()
        self.left_out: Counter[str] = Counter()
        """Counts by kind of what was not imported: image, file, audio, instruction."""
        self._owner = owner
        """The owner of all conversations; None: the users that the file names."""
        self._find_user = find_user
        self._kind = kind
        self._dry_run = dry_run
        self._here = Rehearsal() if dry_run else Here()
        self._renew = renew
        """Replace earlier imports that nobody has continued."""
        self._on_step = on_step
        self._stopped: BaseException | None = None
        """An exception of `on_step`, kept until the conversation under way was finished."""
        who = operator() if source == Audit.Source.COMMAND else ""
        self._audit = Audit(action="import", source=source, by=by, operator=who)
        self._latest: dict[int, UUID] = {}
        """The last imported conversation of each owner."""

    @property
    def has_faults(self) -> bool:
        return bool(self.counts[Outcome.SKIPPED])

    def file(self, file: BinaryIO, name: str, *, skip: int = 0) -> Iterator[Report]:
        """Import a file's conversations after the first `skip`, one per iteration."""
        for found in read(file, self._kind):
            self.left_out.update(found.left_out)
            if not found.is_conversation:
                continue
            if skip:
                skip -= 1
                self._here.brought |= {found.conversation.id} if found.conversation else set()
                continue
            report = self._report(found, f"{name}/{found.file}" if found.file else name)
            self.counts[report.outcome] += 1
            yield report
            if self._stopped is not None:
                raise self._stopped

    def unreadable(self, name: str, why: str) -> Report:
        """Count and report a file that cannot be read."""
        self.counts[Outcome.SKIPPED] += 1
        return Report(name, 0, "", None, Outcome.SKIPPED, why)

    def _report(self, found: Found, name: str) -> Report:
        archived = found.conversation
        if archived is None:
            outcome = None if found.is_empty else Outcome.SKIPPED
            return Report(name, found.line, found.title, None, outcome, found.fault, found.position)
        owner = self._owner or self._find_user(archived.owner)
        if owner is None:
            note = (
                f"there is no user {archived.owner!r} here: create one in the admin, or use --user"
            )
            done = Imported(Outcome.SKIPPED, archived.id, note)
        else:
            self._record_start(name)
            done = import_conversation(
                owner,
                archived,
                find_user=self._find_user,
                here=self._here,
                renew=self._renew,
                on_step=self._on_step,
            )
            self._stopped = done.stopped
            self._here.brought.add(archived.id)
            if done.outcome in _CHANGED and not self._dry_run:
                self._latest[owner.pk] = done.conversation_id
        note = ". ".join(filter(None, (done.note, _shorten(found.notes))))
        return Report(
            name,
            found.line,
            archived.title,
            done.conversation_id,
            done.outcome,
            note,
            found.position,
        )

    def _record_start(self, name: str) -> None:
        """Record the import before its first conversation, in case it is cut off."""
        if self._audit.pk is None and not self._dry_run:
            self._audit.summary = storable(f"Import of {name[:200]}: not finished.")
            self._audit.save(force_insert=True)

    def finish(self, names: str) -> str:
        """Record the end, tell the pages of the new owners, and return a summary."""
        summary = storable(f"Import of {names[:200]}: {self.summary()}.")
        with transaction.atomic():
            if self._audit.pk is not None:
                self._audit.summary = summary
                self._audit.save(update_fields=["summary"])
            for owner_id, conversation_id in self._latest.items():
                data = ConversationChangedData(session_id=str(conversation_id))
                publish.announce(owner_id, ConversationChanged(data=data))
        return summary

    def summary(self) -> str:
        would = "would be " if self._dry_run else ""
        parts = [f"{self.counts[Outcome.IMPORTED]:,} {would}imported"]
        for outcome, words in [
            (Outcome.GROWN, f"{would}updated"),
            (Outcome.RENEWED, f"{would}replaced"),
            (Outcome.PRESENT, "here already"),
            (None, "empty"),
            (Outcome.SKIPPED, "skipped"),
        ]:
            if self.counts[outcome]:
                parts.append(f"{self.counts[outcome]:,} {words}")
        return ", ".join(parts) + (
            f". Left out: {left_out}" if (left_out := self._left_out()) else ""
        )

    def _left_out(self) -> str:
        """Return, for example, `1 image, 3 audio recordings`; empty if nothing was left out."""
        counted = [
            (self.left_out[kind], _KINDS.get(kind, kind)) for kind in {**_KINDS, **self.left_out}
        ]
        return ", ".join(f"{n:,} {words}{'s' if n > 1 else ''}" for n, words in counted if n > 0)


def _shorten(notes: tuple[str, ...]) -> str:
    more = f" and {len(notes) - NOTES:,} more" if len(notes) > NOTES else ""
    return "; ".join(note[:NOTE_LENGTH] for note in notes[:NOTES]) + more
