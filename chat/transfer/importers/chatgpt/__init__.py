"""Converts `conversations.json` of a ChatGPT export to archived conversations.

Nobody guarantees its format, so it is read leniently, field by field: unknown data is skipped and
noted, missing data is inferred from its surroundings. Nodes that nobody saw (system, hidden, recaps)
are dropped; an answer and its tool calls become one message; edited questions and other answers
become branches. Ids derive from the file's, so the same file gives the same conversations.
"""

from __future__ import annotations

from chat.transfer.importers.chatgpt.conversations import convert
from chat.transfer.importers.chatgpt.exported import parse
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.converted import Converted


def conversation(data: bytes) -> Converted:
    """Convert a conversation. Raises `ValueError` and `RecursionError` if nothing is understood."""
    exported = parse(data)
    left_out = LeftOut()
    found = convert(exported, left_out)
    return Converted(found, tuple(exported.notes), dict(left_out.counts))
