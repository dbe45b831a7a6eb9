"""Hand-made conversations of a ChatGPT export, and their conversion."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from chat.transfer.archive.format import ArchivedConversation, ArchivedMessage
from chat.transfer.importers import chatgpt
from chat.transfer.importers.converted import Converted

BEGIN = 1_700_000_000.25
ID = "6553aa11-0000-4000-8000-00000000beef"


def node(
    parent: str | None, role: str, *parts: Any, at: float | None = 0, **more: Any
) -> dict[str, Any]:
    """A node of the mapping."""
    content = more.pop("content", {"content_type": "text", "parts": list(parts)})
    message = {
        "id": "x",
        "author": {"role": role, "name": more.pop("name", None), "metadata": {}},
        "create_time": None if at is None else BEGIN + at,
        "content": content,
        "status": more.pop("status", "finished_successfully"),
        "recipient": more.pop("recipient", "all"),
        "metadata": more.pop("metadata", {}),
        "weight": 1.0,
    }
    assert not more, more
    return {"id": "x", "message": message, "parent": parent, "children": []}


def export(nodes: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A conversation of the export; fills in children from parents."""
    mapping = {"root": {"id": "root", "message": None, "parent": None, "children": []}, **nodes}
    for key, made in nodes.items():
        if (parent := made["parent"]) in mapping:
            mapping[parent]["children"].append(key)
    return {
        "title": "About ants",
        "create_time": BEGIN,
        "update_time": BEGIN + 100,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": list(mapping)[-1],
        "conversation_id": ID,
        "default_model_slug": "gpt-4o",
        "gizmo_id": None,
        **more,
    }


def read(exported: Any) -> Converted:
    return chatgpt.conversation(json.dumps(exported).encode())


def convert(nodes: dict[str, dict[str, Any]], **more: Any) -> ArchivedConversation:
    made = read(export(nodes, **more)).conversation
    assert made is not None
    return made


def said(made: ArchivedConversation) -> list[tuple[str, str]]:
    return [(message.role.value, message.content) for message in made.messages]


def branch(made: ArchivedConversation) -> list[str]:
    """Return the texts of the current branch."""
    messages = {message.id: message for message in made.messages}
    texts: list[str] = []
    at: UUID | None = made.leaf
    while at:
        texts.insert(0, messages[at].content)
        at = messages[at].parent
    return texts


def only_answer(made: ArchivedConversation) -> ArchivedMessage:
    (answer,) = (message for message in made.messages if message.turn)
    return answer


CITE = "\ue200cite\ue202turn0search1\ue201"


def converted(*nodes: dict[str, Any], **more: Any) -> Converted:
    """Convert a question followed by these nodes, each below the one before."""
    above, mapping = "q", {"q": node("root", "user", "Q")}
    for number, one in enumerate(nodes):
        mapping[f"n{number}"] = {**one, "parent": above}
        above = f"n{number}"
    return read(export(mapping, **more))


def answer(*nodes: dict[str, Any]) -> ArchivedMessage:
    made = converted(*nodes)
    assert made.conversation
    assert made.notes == ()
    return only_answer(made.conversation)


def text(words: str, **metadata: Any) -> str:
    """Return the converted text of an answer."""
    return answer(node(None, "assistant", words, metadata=metadata)).content


def mark(*parts: str) -> str:
    return "\ue200" + "\ue202".join(parts) + "\ue201"
