"""How a conversation of a file stands to the one of the same id that is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chat.models import Turn
from chat.transfer.archive import rows
from chat.transfer.archive.encoders import JsonLines
from chat.transfer.archive.format import ArchivedConversation, ArchivedMessage
from chat.transfer.settled import message_at_rest

_PLUMBING: dict[str, Any] = {
    "client_id": True,
    "turn": {"client_id"},
    "calls": {"__all__": {"decided_by"}},
}
"""What an import may have left out: ids that were taken, people who are not here."""
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
    """What of a conversation in a file is here, and what only one of both has."""

    new: tuple[ArchivedMessage, ...]
    """Messages of the file that are not here."""
    other: int
    """Messages that are here, and say something else."""
    common: int
    """Messages that both have."""
    extra: int
    """Messages that only what is here has."""
    settings: tuple[str, ...]
    """Of the conversation, those that differ, for people."""

    @property
    def fits(self) -> bool:
        """Nothing of it is another one here: what is new can be added, if there is something."""
        return not self.other and (not self.new or self.common > 0)

    @property
    def difference(self) -> str:
        """Why it does not fit, in words."""
        if not self.common:
            return "the existing copy has none of its messages"
        differ = "1 message differs" if self.other == 1 else f"{self.other:,} messages differ"
        new = f" (and {len(self.new):,} are new)" if self.new else ""
        return f"{differ} from the existing copy{new}"

    @property
    def other_settings(self) -> str:
        """Which differ, in words; empty: none does."""
        if not self.settings:
            return ""
        verb = "differs" if len(self.settings) == 1 else "differ"
        return f"its {' and '.join(self.settings)} {verb} here"


def stored(conversation_id: UUID) -> ArchivedConversation | None:
    """A conversation as it would be exported. None: it has no messages, or is gone."""
    for found in rows.conversations([conversation_id]):
        try:
            return ArchivedConversation.model_validate_json(b"".join(JsonLines().encode(found)))
        except ValidationError:
            return None  # no archive could say how it stands
    return None


def compared(file: ArchivedConversation, here: ArchivedConversation) -> Comparison:
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
        return True  # it was not over in the file; it may be here
    file = message_at_rest(file)
    return file == here or _says(_essence(here), _essence(file))


def _essence(message: ArchivedMessage) -> dict[str, Any]:
    return message.model_dump(exclude=_PLUMBING, exclude_unset=True)


def _says(here: Any, file: Any) -> bool:
    """All that the file says: one of an older version has fewer keys, and says nothing of these."""
    if isinstance(file, dict) and isinstance(here, dict):
        return all(key in here and _says(here[key], file[key]) for key in file)
    if isinstance(file, tuple) and isinstance(here, tuple):
        return len(here) == len(file) and all(map(_says, here, file))
    return bool(here == file)
