"""Converts `conversations.json` of a ChatGPT export to archived conversations.

Nobody guarantees its format, so it is read leniently, field by field: unknown data is skipped and
noted, missing data is inferred from its surroundings. Nodes that nobody saw (system, hidden, recaps)
are dropped; an answer and its tool calls become one message; edited questions and other answers
become branches. Ids derive from the file's, so the same file gives the same conversations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.transfer.archive.format import ArchivedConversation
from chat.transfer.importers.chatgpt.assets import LeftOut
from chat.transfer.importers.chatgpt.conversations import convert
from chat.transfer.importers.chatgpt.exported import parse

__all__ = ["Converted", "conversation"]


@dataclass(frozen=True)
class Converted:
    """The result of converting a conversation."""

    conversation: ArchivedConversation | None
    """None: it has no messages."""
    notes: tuple[str, ...] = ()
    """What was not understood, each with its place."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Counts of what was not imported: `image`, `file`, `audio`, `instruction`."""


def conversation(data: bytes) -> Converted:
    """Convert a conversation. Raises `ValueError` and `RecursionError` if nothing is understood."""
    exported = parse(data)
    left_out = LeftOut()
    found = convert(exported, left_out)
    return Converted(found, tuple(exported.notes), dict(left_out.counts))
