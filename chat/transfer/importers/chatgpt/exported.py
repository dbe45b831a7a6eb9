"""What a ChatGPT export says of a conversation, as far as it is used here. Read leniently."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from chat.transfer.importers.chatgpt.fields import Fields, Notes
from chat.transfer.importers.chatgpt.markup import line

MAX_NODES = 100_000
_MAX_DIGITS = 300
_KEYS = {"message", "parent", "children"}
"""Of nodes, of which each has one at least."""
SPEAKERS = ("user", "assistant", "tool")


@dataclass(frozen=True)
class Message:
    role: str
    name: str
    """Of the tool that speaks."""
    content: Fields
    time: datetime | None
    recipient: str
    """The tool that is called; empty: everybody."""
    status: str
    metadata: Fields
    is_hidden: bool

    @property
    def is_call(self) -> bool:
        return self.role != "tool" and bool(self.recipient)


@dataclass(frozen=True)
class Node:
    message: Message | None
    parent: str | None
    children: list[str]


@dataclass(frozen=True)
class Exported:
    fields: Fields
    mapping: dict[str, Node]
    notes: Notes


def parsed(data: bytes) -> Exported:
    """Raises `ValueError` and `RecursionError`: there is no conversation to be seen."""
    notes = Notes()
    found = _loaded(data, notes)
    mapping = found.get("mapping") if isinstance(found, dict) else None
    if not isinstance(mapping, dict):
        what = "missing" if mapping is None else "not an object"
        raise ValueError(f"mapping: it is {what}, so this is no conversation of a ChatGPT export")
    if len(mapping) > MAX_NODES:
        raise ValueError(
            f"mapping: it has {len(mapping):,} nodes, and at most {MAX_NODES:,} are read"
        )
    nodes = {key: _node(key, node, notes) for key, node in mapping.items()}
    return Exported(Fields(found, "", notes), nodes, notes)


def _loaded(data: bytes, notes: Notes) -> Any:
    """Also with half emojis, broken UTF-8 and infinite numbers, which are no JSON, but do occur."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    text = data.decode(errors="replace")
    if "\ufffd" in text and not _is_utf8(data):
        notes.add("some of it is not UTF-8, and shows as \ufffd")
    try:
        return json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def _node(key: str, raw: object, notes: Notes) -> Node:
    where = f"message {line(key, 60)}"
    if not isinstance(raw, dict) or not raw.keys() & _KEYS:
        notes.add(f"{where}: it is no node of a conversation")
    node = Fields(raw, where, notes)
    children = [child for child in node.values("children") if isinstance(child, str)]
    parent = node.raw("parent")
    return Node(
        _message(node.inner("message")), parent if isinstance(parent, str) else None, children
    )


def _message(fields: Fields) -> Message | None:
    if not fields:
        return None
    author = fields.raw("author")
    speaker = (
        Fields({"role": author}, "", Notes()) if isinstance(author, str) else fields.inner("author")
    )
    recipient = fields.text("recipient")
    metadata = fields.inner("metadata")
    role = speaker.text("role").lower()
    is_hidden = metadata.raw("is_visually_hidden_from_conversation") is True
    if fields.raw("content") is None and role in SPEAKERS and not is_hidden:
        fields.note("it has no content")
    return Message(
        role=role,
        name=speaker.text("name"),
        content=_content(fields),
        time=fields.moment("create_time"),
        recipient="" if recipient == "all" else recipient,
        status=fields.text("status"),
        metadata=metadata,
        is_hidden=is_hidden,
    )


def _content(fields: Fields) -> Fields:
    """Words alone are taken for a text."""
    raw = fields.raw("content")
    if isinstance(raw, str | list):
        return fields.child({"content_type": "text", "parts": raw})
    return fields.inner("content")
