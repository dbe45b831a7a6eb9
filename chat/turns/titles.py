"""Titles: after the first answer, the model is asked for one, from the opening messages.

It never replaces a title that a person gave. If it fails, the opening words stay.
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from uuid import UUID

from django.db import transaction

from chat import publish, search
from chat.db.lanes import read, write
from chat.errors import ModelError
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Request,
    SystemMessage,
    Text,
    Thought,
    UserMessage,
)
from chat.llm.catalogue.models import Resolved
from chat.llm.demo.scripted import TITLE_PROMPT
from chat.models import Conversation, Message
from chat.models.branches import beginnings
from chat.protocol import TitleChanged, TitleData
from chat.turns.title_text import MAX_LENGTH, MAX_READ, extract_title

__all__ = ["MAX_LENGTH", "entitle", "extract_title", "set_title"]

log = logging.getLogger(__name__)

PROMPT = (
    f"{TITLE_PROMPT} for this conversation: at most six words, in the language of the "
    "conversation, without quotation marks. Answer with the title only."
)
LAST_WORD = "Now write the title of this conversation, and nothing else."
OPENING_CHARACTERS = 2_000
"""Code points of each opening message that the model is shown."""
MAX_OUTPUT_TOKENS = 1_000
"""Enough for models that reason first."""


async def entitle(conversation_id: UUID, model: Resolved) -> None:
    """Ask for a title and store it."""
    opening = await read(_opening, conversation_id)
    if opening is None:
        return
    messages = (SystemMessage(PROMPT), *opening, UserMessage(LAST_WORD))
    request = Request(model.model_id, messages, max_output_tokens=MAX_OUTPUT_TOKENS)
    try:
        title = extract_title(await _answer(model, request))
    except ModelError as error:
        log.info("No title: %s", error.message)
        return
    if title:
        await write(_store, conversation_id, title)


async def _answer(model: Resolved, request: Request) -> str:
    answer = ""
    async with aclosing(model.client.stream(request)) as events:
        async for event in events:
            if isinstance(event, Text):
                answer += event.content
            elif isinstance(event, Thought):
                answer = ""  # the text so far was reasoning
            if len(answer) > MAX_READ:
                break
    return answer


def _opening(conversation_id: UUID) -> list[ModelMessage] | None:
    """Return the first question and its answer, or None if no title is wanted."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None or conversation.titled_by != Conversation.TitledBy.OPENING:
        return None
    return [
        (UserMessage if message.role == Message.Role.USER else AssistantMessage)(
            message.content[:OPENING_CHARACTERS]
        )
        for message in beginnings(conversation.leaf_id, most=OPENING_CHARACTERS)[:2]
    ]


@transaction.atomic
def _store(conversation_id: UUID, title: str) -> None:
    untitled = Conversation.objects.filter(
        pk=conversation_id, titled_by=Conversation.TitledBy.OPENING
    )
    if conversation := untitled.select_for_update().first():
        set_title(conversation, title, Conversation.TitledBy.MODEL)


def set_title(conversation: Conversation, title: str, by: Conversation.TitledBy) -> None:
    """Store a title and send it to all of the owner's connections. Inside a transaction."""
    Conversation.objects.filter(pk=conversation.pk).update(title=title, titled_by=by)
    search.index_title(conversation, title)
    publish.announce(
        conversation.owner_id,
        TitleChanged(data=TitleData(session_id=str(conversation.pk), title=title)),
    )
