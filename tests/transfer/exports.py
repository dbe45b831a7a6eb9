"""Two ChatGPT exports of one conversation, the second with more messages."""

from __future__ import annotations

import json
from typing import Any

from chat.models import Conversation
from tests.transfer.chatgpt_samples import export, node

FIRST = {"q": node("root", "user", "First question", at=1), "a": node("q", "assistant", "First answer", at=2)}  # fmt: skip
SECOND = {
    **FIRST,
    "q2": node("a", "user", "Second wombat", at=3),
    "a2": node("q2", "assistant", "Second answer", at=4),
}


def data(nodes: dict[str, Any], **more: Any) -> bytes:
    return json.dumps([export(nodes, **more)]).encode()


def branch() -> list[str]:
    """Return the texts of the current branch."""
    said = Conversation.objects.get().leaf
    texts: list[str] = []
    while said:
        texts.insert(0, said.content)
        said = said.parent
    return texts
