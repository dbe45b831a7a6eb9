"""Merging a conversation in a file with the stored one, keeping what a person did here."""

from __future__ import annotations

from typing import Any

from chat.models import Conversation
from chat.transfer.archive.format import ArchivedConversation
from chat.transfer.comparing import Comparison

_BY_PERSON = Conversation.TitledBy.PERSON


def merge_new(
    here: ArchivedConversation, new: ArchivedConversation, compared: Comparison
) -> ArchivedConversation:
    """Add the file's new messages. The current branch stays if it was continued here."""
    messages = (*here.messages, *new.messages)
    changes: dict[str, Any] = {
        "messages": tuple(sorted(messages, key=lambda said: (said.created_at, said.id))),
        "leaf": here.leaf if compared.extra else new.leaf,
        "updated_at": max(here.updated_at, new.updated_at),
    }
    if here.titled_by != _BY_PERSON and new.titled_by != Conversation.TitledBy.OPENING:
        changes |= {"title": new.title, "titled_by": new.titled_by}
    return here.model_copy(update=changes)


def merge_replacement(
    here: ArchivedConversation, file: ArchivedConversation
) -> ArchivedConversation:
    """Return the file's version, with the settings that a person chose here."""
    changes: dict[str, Any] = {
        "model": here.model or file.model,
        "instructions": here.instructions or file.instructions,
        "temperature": file.temperature if here.temperature is None else here.temperature,
        "max_output_tokens": here.max_output_tokens or file.max_output_tokens,
        "offers_tools": here.offers_tools and file.offers_tools,
        "pinned": here.pinned or file.pinned,
        "archived": here.archived,
        "seq": max(here.seq, file.seq),
    }
    if here.titled_by == _BY_PERSON:
        changes |= {"title": here.title, "titled_by": here.titled_by}
    return file.model_copy(update=changes)
