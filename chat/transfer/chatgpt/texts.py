"""The words of a node: what a person would have seen, as Markdown."""

from __future__ import annotations

import re
from typing import Any

from chat.transfer.chatgpt.exported import Content, Message

_CITATION = re.compile("\ue200[^\ue201]{0,1000}\ue201")
"""Marks that only ChatGPT's page understands."""
_UNSEEN = {"user_editable_context", "model_editable_context", "reasoning_recap", "thoughts"}
_KINDS = {
    "image_asset_pointer": "image",
    "audio_asset_pointer": "audio",
    "real_time_user_audio_video_asset_pointer": "audio",
    "video_container_asset_pointer": "video",
}


def is_seen(message: Message) -> bool:
    """Whether it is a part of what was said, by somebody and to be read."""
    is_hidden = (message.metadata or {}).get("is_visually_hidden_from_conversation") is True
    return message.author.role in ("user", "assistant", "tool") and not is_hidden


def words(message: Message) -> str:
    """Its text; empty: it has none."""
    content = message.content
    parts = [] if content is None else _parts(content)
    parts += [left_out(f"file {name}") for name in _attached(message)]
    return "\n\n".join(filter(str.strip, parts))


def reasoning(message: Message) -> str:
    """What it shows of the model's reasoning."""
    if message.content is None or message.content.content_type != "thoughts":
        return ""
    found = []
    for thought in message.content.thoughts or ():
        if isinstance(thought, dict):
            found += [thought.get("summary"), thought.get("content")]
    return "\n\n".join(cleaned(text) for text in found if isinstance(text, str) and text.strip())


def cleaned(text: str) -> str:
    return _CITATION.sub("", text).replace("\0", "\ufffd")


def left_out(what: str) -> str:
    return f"*({cleaned(what)}: not in the export)*"


def _parts(content: Content) -> list[str]:
    if content.content_type in _UNSEEN:
        return []
    found = [part for part in map(_part, content.parts or ()) if part]
    found += [cleaned(text) for text in (content.text, content.result) if text]
    return found


def _part(part: Any) -> str:
    """A text, or something else in words."""
    if isinstance(part, str):
        return cleaned(part)
    if not isinstance(part, dict):
        return ""
    if isinstance(text := part.get("text"), str):
        return cleaned(text)  # what was said aloud
    kind = part.get("content_type")
    return left_out(_KINDS.get(kind, "attachment") if isinstance(kind, str) else "attachment")


def _attached(message: Message) -> list[str]:
    attachments = (message.metadata or {}).get("attachments")
    if not isinstance(attachments, list):
        return []
    names = [found.get("name") for found in attachments if isinstance(found, dict)]
    return [name[:200] for name in names if isinstance(name, str)]
