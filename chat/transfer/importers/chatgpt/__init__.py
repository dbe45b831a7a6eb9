"""`conversations.json` of a ChatGPT export, as archived conversations.

Its format is nobody's promise, so it is read leniently, field by field: what is not known is passed
over and noted, what is missing is made up from what is around it. Nodes that nobody saw (system,
hidden, recaps) go; an answer and the tool calls within it become one message; edited questions and
other answers become branches. Ids are made from the file's, so that the same file makes the same
conversations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.transfer.archive.format import ArchivedConversation
from chat.transfer.importers.chatgpt.assets import LeftOut
from chat.transfer.importers.chatgpt.conversations import archived
from chat.transfer.importers.chatgpt.exported import parsed

__all__ = ["Converted", "conversation"]


@dataclass(frozen=True)
class Converted:
    """What became of a conversation of an export."""

    conversation: ArchivedConversation | None
    """None: nobody said anything in it."""
    notes: tuple[str, ...] = ()
    """What in it was not understood, by its place."""
    left_out: dict[str, int] = field(default_factory=dict)
    """How many of what it had are not brought in: `image`, `file`, `audio`, `instruction`."""


def conversation(data: bytes) -> Converted:
    """Raises `ValueError` and `RecursionError`: nothing in it is understood."""
    exported = parsed(data)
    left_out = LeftOut()
    found = archived(exported, left_out)
    return Converted(found, tuple(exported.notes), dict(left_out.counts))
