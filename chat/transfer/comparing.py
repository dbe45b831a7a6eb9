"""Comparing a conversation in a file with the stored one of the same id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chat.models import Turn
from chat.transfer.archive import rows
from chat.transfer.archive.encoders import JsonLines
from chat.transfer.archive.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import settle_message

_PLUMBING: dict[str, Any] = {
    "client_id": True,
    "turn": {"client_id"},
    "calls": {"__all__": {"decided_by"}},
}
"""Values that an import may have dropped: ids already taken, people unknown here."""
_SETTINGS = (
    ("title", "title"),
    ("model", "model"),
    ("instructions", "instructions"),
    ("temperature", "temperature"),
    ("max_output_tokens", "output limit"),
    ("offers_tools", "use of tools"),
    ("pinned", "pin"),
    ("archived", "archiving"),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a file and the database have in common of a conversation, and what only one of them has."""

    new: tuple[ArchivedMessage, ...]
    """Messages in the file only."""
    other: int
    """The number of messages that differ."""
    common: int
    """The number of messages in both."""
    extra: int
    """The number of messages in the database only."""
    settings: tuple[str, ...]
    """Readable names of the settings that differ."""

    @property
    def fits(self) -> bool:
        """Whether no message differs, so that new ones can be added."""
        return not self.other and (not self.new or self.common > 0)

    @property
    def difference(self) -> str:
        """Why it does not fit, as text."""
        if not self.common:
            return "the existing copy has none of its messages"
        differ = "1 message differs" if self.other == 1 else f"{self.other:,} messages differ"
        new = f" (and {len(self.new):,} are new)" if self.new else ""
        return f"{differ} from the existing copy{new}"

    @property
    def other_settings(self) -> str:
        """The settings that differ, as text; empty if none does."""
        if not self.settings:
            return ""
        verb = "differs" if len(self.settings) == 1 else "differ"
        return f"its {' and '.join(self.settings)} {verb} here"


def read_stored(conversation_id: UUID) -> ArchivedConversation | None:
    """Read a conversation as it would be exported. None: it has no messages, or is gone."""
    for found in rows.conversations([conversation_id]):
        try:
            return ArchivedConversation.model_validate_json(b"".join(JsonLines().encode(found)))
        except ValidationError:
            return None  # an archive cannot express it
    return None


def compare(file: ArchivedConversation, here: ArchivedConversation) -> Comparison:
    by_id = {message.id: message for message in here.messages}
    common = [message for message in file.messages if message.id in by_id]
    return Comparison(
        new=tuple(message for message in file.messages if message.id not in by_id),
        other=sum(not _is_same(message, by_id[message.id]) for message in common),
        common=len(common),
        extra=len(by_id) - len(common),
        settings=tuple(
            words
            for name, words in _SETTINGS
            if name in file.model_fields_set and getattr(file, name) != getattr(here, name)
        ),
    )


def _is_same(file: ArchivedMessage, here: ArchivedMessage) -> bool:
    if file.turn is not None and file.turn.status in Turn.UNFINISHED:
        return True  # unfinished in the file; it may have finished here
    file = settle_message(file)
    return file == here or _includes(_essence(here), _essence(file))


def _essence(message: ArchivedMessage) -> dict[str, Any]:
    return message.model_dump(exclude=_PLUMBING, exclude_unset=True)


def _includes(here: Any, file: Any) -> bool:
    """Whether `here` has every value in `file`; an older version has fewer keys, which may differ."""
    if isinstance(file, dict) and isinstance(here, dict):
        return all(key in here and _includes(here[key], file[key]) for key in file)
    if isinstance(file, tuple) and isinstance(here, tuple):
        return len(here) == len(file) and all(map(_includes, here, file))
    return bool(here == file)
