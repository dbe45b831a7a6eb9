"""Planning what happens to a conversation of a file, from the file and the database alone.

So a dry run gives the same result as the import, which only has to carry out the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from django.contrib.auth.models import User

from chat.services.imports.existing import Here
from chat.transfer.archive.format import ArchivedConversation
from chat.transfer.comparing import Comparison, compare
from chat.transfer.merging import merge_new, merge_replacement
from chat.transfer.settled import give_other_ids, settle


class Outcome(Enum):
    IMPORTED = "imported"
    GROWN = "updated"
    """It existed already, and has the file's new messages now."""
    RENEWED = "replaced"
    """The earlier import was replaced by the file's version."""
    PRESENT = "here already"
    SKIPPED = "skipped"
    """Because of a fault: something in the file is not here."""


@dataclass(frozen=True)
class Imported:
    """The result of importing a conversation."""

    outcome: Outcome
    conversation_id: UUID
    note: str = ""
    """A remark for a person; for a fault, what is wrong and what to do."""
    stopped: BaseException | None = None
    """An exception that asked to end the import when a replacement had to be completed first."""


@dataclass(frozen=True)
class Plan:
    """The planned result, and what to write."""

    imported: Imported
    whole: ArchivedConversation | None = None
    """The conversation as it will be stored; None: nothing is written."""
    new: ArchivedConversation | None = None
    """The conversation with its new messages alone, if it only grows."""


def plan(owner: User, archived: ArchivedConversation, here: Here, *, renew: bool) -> Plan:
    """Choose the ids for a new conversation, or what happens to the existing one.

    With `renew`, an earlier import that nobody has continued is replaced if the file's version
    differs.
    """
    candidates = (archived, give_other_ids(archived, owner.username))
    for candidate in candidates:
        if here.owner_of(candidate.id) == owner.pk:
            return _present(candidate, here, renew=renew)
    for candidate in candidates:
        if here.is_free(candidate):
            is_new = candidate.id != archived.id
            note = "its id is taken here, so it got a new one" if is_new else ""
            return Plan(Imported(Outcome.IMPORTED, candidate.id, note), settle(candidate))
    return skip_taken(archived)


def skip_taken(archived: ArchivedConversation) -> Plan:
    return _skipped(archived, "its id and the ids of its messages are taken here")


def _skipped(archived: ArchivedConversation, why: str) -> Plan:
    return Plan(Imported(Outcome.SKIPPED, archived.id, why))


def _present(file: ArchivedConversation, here: Here, *, renew: bool) -> Plan:
    """Plan for a conversation that exists: whether to add to it, replace it or keep it."""
    stored = here.stored(file.id)
    if stored is None:
        return _skipped(file, f"it is here already, and has no messages here. {_DELETE}")
    found = compare(file, stored)
    if not found.fits:
        return _different(file, stored, found, here, renew=renew)
    if found.new:
        return _grow(file, stored, found, here)
    why = found.other_settings
    if found.extra:
        gone_on = here.went_on(file.id)
        why = "it was continued here" if gone_on else "it has more messages here than in the file"
    note = f"it is here already and stays as it is: {why}" if why else ""
    return Plan(Imported(Outcome.PRESENT, file.id, note))


def _grow(
    file: ArchivedConversation, stored: ArchivedConversation, found: Comparison, here: Here
) -> Plan:
    new = settle(file.model_copy(update={"messages": found.new}))
    if here.has_any([message.id for message in new.messages]):
        return _skipped(file, "it is here already, and the ids of its new messages are taken here")
    number = len(found.new)
    note = "1 new message" if number == 1 else f"{number:,} new messages"
    if found.extra:
        more = "It was continued" if here.went_on(file.id) else "It has more messages"
        note += f". {more} here, so its current branch stays"
    imported = Imported(Outcome.GROWN, file.id, note)
    return Plan(imported, merge_new(stored, new, found), new)


_DELETE = "Delete that one first to import the version in the file"
_RENEW = (
    "Nobody has continued it here: choose to replace earlier imports (--renew) to get the file's"
)


def _different(
    file: ArchivedConversation,
    stored: ArchivedConversation,
    found: Comparison,
    here: Here,
    *,
    renew: bool,
) -> Plan:
    differs = f"it is here already, and {found.difference}"
    if why := _why_kept(file, stored, found, here):
        return _skipped(file, f"{differs}. {why} {_DELETE}" if renew else f"{differs}. {_DELETE}")
    if not renew:
        return _skipped(file, f"{differs}. {_RENEW}")
    note = f"replaced: {found.difference}"
    return Plan(Imported(Outcome.RENEWED, file.id, note), merge_replacement(stored, settle(file)))


def _why_kept(
    file: ArchivedConversation, stored: ArchivedConversation, found: Comparison, here: Here
) -> str:
    """Return why the file's version may not replace the existing one; empty if it may."""
    if file.id in here.brought:
        return "That one came with this import, so it is not replaced."
    if here.went_on(file.id) or here.has_any([message.id for message in found.new]):
        return "It was continued here, so it is not replaced."
    if found.extra:
        return "It has more messages here, so it is not replaced."
    if file.updated_at < stored.updated_at:
        return "The file's version is older, so it is not replaced."
    if file.created_at != stored.created_at and file.title != stored.title:
        return "It seems to be another conversation, so it is not replaced."
    return ""
