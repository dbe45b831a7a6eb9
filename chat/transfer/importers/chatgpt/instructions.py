"""Instructions to the model beside the conversation: a person's custom ones, and others."""

from __future__ import annotations

from collections.abc import Iterable

from chat.transfer.importers.chatgpt.exported import Message
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.chatgpt.markup import replace_unstorable
from chat.transfer.importers.chatgpt.texts import raw

MAX_CHARACTERS = 20_000


def instructions(messages: Iterable[Message], left_out: LeftOut) -> str:
    """Return the person's first instructions; count all others as left out."""
    own: dict[str, None] = {}
    others: set[str] = set()
    for message in messages:
        if text := _custom(message).strip():
            own[text] = None
        elif text := _other(message).strip():
            others.add(text)
    first = next((text for text in own if len(text) <= MAX_CHARACTERS), "")
    for _ in range(len(own) + len(others) - bool(first)):
        left_out.add("instruction")
    return first


def _custom(message: Message) -> str:
    told = message.metadata.inner("user_context_message_data")
    about_user, about_model = told.text("about_user_message"), told.text("about_model_message")
    if about_user.strip() or about_model.strip():
        parts = [("About the user", about_user), ("How to answer", about_model)]
        return "\n\n".join(
            f"{head}:\n{replace_unstorable(text)}" for head, text in parts if text.strip()
        )
    if message.content.text("content_type") != "user_editable_context":
        return ""
    texts = [message.content.text(key) for key in ("user_profile", "user_instructions")]
    return "\n\n".join(replace_unstorable(text) for text in texts if text.strip())


def _other(message: Message) -> str:
    """Return instructions from ChatGPT itself, a custom GPT or its memory."""
    if message.content.text("content_type") == "model_editable_context":
        return message.content.text("model_set_context")
    return raw(message) if message.role == "system" else ""
