"""`conversations.json` of a ChatGPT export, as archived conversations.

Its format is nobody's promise, so it is read leniently: what is not known is passed over, what is
missing is made up from what is around it. Nodes that nobody saw (system, hidden, recaps) go; an
answer and the tool calls within it become one message; edited questions and other answers become
branches. Ids are made from the file's, so that the same file makes the same conversations.
"""

from __future__ import annotations

from chat.transfer.chatgpt.exported import is_one, parsed
from chat.transfer.chatgpt.tree import archived
from chat.transfer.format import ArchivedConversation

__all__ = ["conversation", "is_one"]


def conversation(data: bytes) -> ArchivedConversation | None:
    """None: nobody said anything in it. Raises `ValueError` and `RecursionError`."""
    return archived(parsed(data))
