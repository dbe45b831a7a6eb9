"""Conversations of any shape, as files: drawn by letters, one for each thing that is added.

`q` a question below the last message, `a` an answer below it, `Q` another first question, `A`
another answer to the first question, `R` another version of the last message, `c` a call of the last
answer, `o` an opaque part of it, `s` nothing but more words.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

_NOW = "2024-05-01T10:00:00Z"
_WORDS = "words of some length that are said again and again " * 6
_TURN: dict[str, Any] = {
    "status": "completed", "model": "m", "context": None, "client_id": None, "input_tokens": None,
    "output_tokens": None, "cached_tokens": None, "cost": None, "error_code": "", "error": "",
    "created_at": _NOW, "started_at": None, "ended_at": None, "cancel_requested_at": None,
}  # fmt: skip
_CALL: dict[str, Any] = {
    "round": 0, "offset": 0, "name": "n", "arguments": "{}", "edited_arguments": "", "status": "finished",
    "result": "", "decided_by": None, "decided_at": None, "decided_from": "", "created_at": _NOW,
    "started_at": None, "ended_at": None,
}  # fmt: skip


@dataclass
class _Node:
    parent: int | None
    is_question: bool
    calls: int = 0
    opaque: int = 0
    children: list[int] = field(default_factory=list)


def _nodes(letters: str) -> list[_Node]:
    """Never empty: it starts with a question."""
    nodes = [_Node(None, True)]
    for letter in letters:
        last, node = nodes[-1], None
        match letter:
            case "q" | "a":
                node = _Node(len(nodes) - 1, letter == "q")
            case "Q":
                node = _Node(None, True)
            case "A":
                node = _Node(0, False)
            case "R":
                node = _Node(last.parent, last.is_question)
            case "c" if not last.is_question:
                last.calls += 1
            case "o" if not last.is_question:
                last.opaque += 1
        if node is not None:
            if node.parent is not None:
                nodes[node.parent].children.append(len(nodes))
            nodes.append(node)
    return nodes


def _id(number: int) -> str:
    return str(UUID(int=number + 1))


def tree(letters: str) -> tuple[UUID, list[dict[str, Any]]]:
    """Return the first message, and all messages as `branches` takes them."""
    said: list[dict[str, Any]] = [
        {
            "id": UUID(_id(number)),
            "parent": None if node.parent is None else UUID(_id(node.parent)),
            "withdrawn": False,
        }
        for number, node in enumerate(_nodes(letters))
    ]
    return said[0]["id"], said


def archive(letters: str) -> bytes:
    """A line of our own archive."""
    messages = [_message(number, node) for number, node in enumerate(_nodes(letters))]
    conversation = {
        "format": "talos-history", "version": 2, "id": _id(2**40), "owner": "o", "title": "t",
        "titled_by": "opening", "model": "m", "instructions": "", "temperature": None,
        "max_output_tokens": None, "pinned": False, "archived": False, "unread": False, "seq": 0,
        "leaf": _id(0), "created_at": _NOW, "updated_at": _NOW, "rules": [], "messages": messages,
    }  # fmt: skip
    return json.dumps(conversation).encode()


def _message(number: int, node: _Node) -> dict[str, Any]:
    opaque = {"round": 0, "call_id": "", "kind": "k", "source": "s", "data": "d"}
    return {
        "id": _id(number),
        "parent": None if node.parent is None else _id(node.parent),
        "role": "user" if node.is_question else "assistant",
        "content": "words",
        "reasoning": "",
        "client_id": None,
        "withdrawn": False,
        "created_at": _NOW,
        "turn": None if node.is_question else _TURN,
        "calls": [{**_CALL, "call_id": f"c{call}"} for call in range(node.calls)],
        "opaque": [opaque] * node.opaque,
    }


def export(letters: str) -> bytes:
    """A ChatGPT export of one conversation."""
    nodes = _nodes(letters)
    mapping = {f"n{number}": _exported(number, node) for number, node in enumerate(nodes)}
    conversation = {
        "title": "t", "create_time": 1.0, "update_time": 2.0, "conversation_id": "c",
        "current_node": f"n{len(nodes) - 1}", "mapping": mapping,
    }  # fmt: skip
    return json.dumps([conversation]).encode()


def _exported(number: int, node: _Node) -> dict[str, Any]:
    role = "user" if node.is_question else "tool" if node.calls else "assistant"
    return {
        "id": f"n{number}",
        "parent": None if node.parent is None else f"n{node.parent}",
        "children": [f"n{child}" for child in node.children],
        "message": {
            "author": {"role": role},
            "content": {"content_type": "text", "parts": [_WORDS]},
            "create_time": 1.0 + number,
        },
    }
