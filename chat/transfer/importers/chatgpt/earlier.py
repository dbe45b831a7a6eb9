"""Which nodes the first version of this importer counted as messages.

An answer's id derives from the first of its nodes that the first version saw, so that its imports
are recognised. Nothing else depends on this.
"""

from __future__ import annotations

from chat.transfer.importers.chatgpt.exported import Message
from chat.transfer.importers.chatgpt.ids import without_marks
from chat.transfer.importers.chatgpt.texts import UNSEEN, is_seen


def was_seen(message: Message) -> bool:
    return is_seen(message) and (
        message.role == "tool" or message.is_call or _had_words(message) or _had_thoughts(message)
    )


def _had_words(message: Message) -> bool:
    content, attached = message.content.quiet, message.metadata.quiet.each("attachments")
    if any(isinstance(one.raw("name"), str) for one in attached):
        return True
    if content.text("content_type") in UNSEEN:
        return False
    texts = [content.raw("text"), content.raw("result")]
    for part in content.values("parts"):
        text = part.get("text", "attachment") if isinstance(part, dict) else part
        texts.append(text if isinstance(text, str) or not isinstance(part, dict) else "attachment")
    return any(isinstance(text, str) and without_marks(text).strip() for text in texts)


def _had_thoughts(message: Message) -> bool:
    content = message.content.quiet
    if content.text("content_type") != "thoughts":
        return False
    texts = (
        thought.raw(key) for thought in content.each("thoughts") for key in ("summary", "content")
    )
    return any(isinstance(text, str) and text.strip() for text in texts)
