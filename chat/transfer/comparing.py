"""How a conversation of a file stands to the one of the same id that is here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chat.models import Turn
from chat.transfer import rows
from chat.transfer.encoders import JsonLines
from chat.transfer.format import ArchivedConversation, ArchivedMessage
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


class Differs(Exception):
    """What is here lacks something of the file's: says what."""


def stored(conversation_id: UUID) -> ArchivedConversation:
    """A conversation as it would be exported. Raises `Differs` for one without messages."""
    try:
        for found in rows.conversations([conversation_id]):
            return ArchivedConversation.model_validate_json(b"".join(JsonLines().encode(found)))
    except ValidationError:
        pass  # no archive could say how it stands
    raise Differs("what is here has no messages")


def compared(file: ArchivedConversation, here: ArchivedConversation) -> str:
    """Empty: both are the same. Else what is here has all of the file's and something else, too.

    Raises `Differs` when it has not: a message is missing, or is another one.
    """
    by_id = {message.id: message for message in here.messages}
    missing = sum(message.id not in by_id for message in file.messages)
    if missing:
        raise Differs(f"{missing} of its messages are not in the one that is here")
    other = sum(not _is_same(message, by_id[message.id]) for message in file.messages)
    if other:
        raise Differs(f"{other} of its messages are others in the one that is here")
    if len(here.messages) > len(file.messages):
        return "it has gone on here"
    changed = [
        words
        for name, words in _SETTINGS
        if name in file.model_fields_set and getattr(file, name) != getattr(here, name)
    ]
    return f"it has another {' and '.join(changed)} here" if changed else ""


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
