"""The result of reading one conversation of a product's export."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.transfer.archive.format import ArchivedConversation


@dataclass(frozen=True)
class Converted:
    """The result of converting a conversation."""

    conversation: ArchivedConversation | None
    """None: it has no messages."""
    notes: tuple[str, ...] = ()
    """What was not understood, each with its place."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Counts of what was not imported: `image`, `file`, `audio`, `instruction`."""
