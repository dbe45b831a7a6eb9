"""Reading a model's reasoning from an export."""

from __future__ import annotations

from collections.abc import Iterator

from chat.transfer.importers.chatgpt.exported import Message
from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.marks import translate
from chat.transfer.importers.chatgpt.references import References

_TOOL = "a8km123"
"""The tool whose words are the reasoning of o1 and o3-mini."""


def reasoning(message: Message, marked: References) -> list[str]:
    """Return the pieces of reasoning; a piece that was only marks is blank.

    The words of the reasoning tool are read by `texts.py`, like those of any other tool.
    """
    if message.content.text("content_type") != "thoughts":
        return []
    alone = message.content.raw("thoughts")
    found = [alone] if isinstance(alone, str) else _thoughts(message.content)
    return [translate(text, marked) for text in found if text.strip()]


def is_reasoning(message: Message) -> bool:
    """Whether a tool's words are a model's reasoning."""
    is_titled = "initial_text" in message.metadata and "finished_text" in message.metadata
    return message.role == "tool" and (message.name == _TOOL or is_titled)


def _thoughts(content: Fields) -> Iterator[str]:
    for thought in content.values("thoughts"):
        if isinstance(thought, str):
            yield thought
        elif isinstance(thought, dict):
            one = content.child(thought)
            yield one.text("summary")
            yield one.text("content") or "".join(filter(_is_text, one.values("chunks")))
        else:
            content.note("one of its thoughts is neither a text nor an object")


def _is_text(value: object) -> bool:
    return isinstance(value, str)
