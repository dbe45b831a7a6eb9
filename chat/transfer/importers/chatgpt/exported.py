"""The parts of an exported ChatGPT conversation that the import uses, read leniently."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chat.transfer.importers import lenient
from chat.transfer.importers.chatgpt.fields import Fields, Notes
from chat.transfer.importers.chatgpt.markup import line

MAX_NODES = 100_000
_KEYS = {"message", "parent", "children"}
"""The keys of a node, which has at least one of them."""
SPEAKERS = ("user", "assistant", "tool")


@dataclass(frozen=True)
class Message:
    role: str
    name: str
    """The name of the tool, if a tool speaks."""
    content: Fields
    time: datetime | None
    recipient: str
    """The tool that is called; empty: everyone."""
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


def parse(data: bytes) -> Exported:
    """Parse a conversation. Raises `ValueError` and `RecursionError` if there is none."""
    notes = Notes()
    found = lenient.parse(data, note=notes.add)
    mapping = found.get("mapping") if isinstance(found, dict) else None
    if not isinstance(mapping, dict):
        what = "missing" if mapping is None else "not an object"
        raise ValueError(
            f"mapping: it is {what}, so this is not a conversation of a ChatGPT export"
        )
    if len(mapping) > MAX_NODES:
        raise ValueError(
            f"mapping: it has {len(mapping):,} nodes, and at most {MAX_NODES:,} are read"
        )
    nodes = {key: _node(key, node, notes) for key, node in mapping.items()}
    return Exported(Fields(found, "", notes), nodes, notes)


def _node(key: str, raw: object, notes: Notes) -> Node:
    where = f"message {line(key, 60)}"
    if not isinstance(raw, dict) or not raw.keys() & _KEYS:
        notes.add(f"{where}: it is not a node of a conversation")
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
    """Return the content; a bare string or list counts as text."""
    raw = fields.raw("content")
    if isinstance(raw, str | list):
        return fields.child({"content_type": "text", "parts": raw})
    return fields.inner("content")
