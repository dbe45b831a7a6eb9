"""The request to a model: the conversation, cut to fit, and the settings of the answer.

It begins with the system prompt and a user message. It is cut only between turns: to as many
messages as the turn asks for, and to the model's context window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from chat.db import sql
from chat.errors import ContextFull
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Opaque,
    Request,
    SystemMessage,
)
from chat.llm.catalogue import windows
from chat.llm.catalogue.models import Resolved
from chat.llm.text import storable
from chat.models import Conversation, Preference
from chat.turns import toolbox
from chat.turns.exchanges import Exchange, exchanges_of
from chat.turns.live import LiveTurn

BYTES_PER_TOKEN = 3
"""A safe estimate: English has about four bytes a token, Chinese about three."""
MESSAGE_TOKENS = 8
"""Most tokens that a message takes beside its text."""
ANSWER_SHARE = 0.25
"""Share of the context window that is kept for the answer."""

LEFT_OUT = (
    "The conversation no longer fits into this model's context: its oldest messages were left out."
)
_ASKED = """
SELECT chat.instructions, preference.system_prompt, chat.temperature, chat.max_output_tokens,
       chat.offers_tools AND for_model.offers_tools IS NOT FALSE
FROM chat_conversation chat
LEFT JOIN chat_preference preference ON preference.owner_id = chat.owner_id
LEFT JOIN chat_modelpreference for_model
    ON for_model.owner_id = chat.owner_id AND for_model.model = %s
WHERE chat.id = %s
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, and how much of the conversation it holds."""

    request: Request
    tokens: int
    """Estimate for its messages."""
    exchanges: int


def prepare(turn: LiveTurn, model: Resolved) -> Prepared:
    """Make the request for the next round of a turn."""
    rows = sql.select(_ASKED, turn.model, turn.conversation_id)
    ((instructions, prompt, temperature, limit, offers_tools),) = rows
    source = model.client.source(model.model_id)
    turn.context_window = windows.known(source, model.context_window)
    budget = turn.budget or _share_of(turn.context_window)
    system = SystemMessage(_system(prompt, instructions))
    exchanges = exchanges_of(turn, source)
    kept = fitting(exchanges, budget and budget - tokens([system]))
    messages = (system, *(message for exchange in kept for message in exchange))
    if len(kept) < len(exchanges):
        turn.remark(LEFT_OUT)
    may_call = model.supports_tools is not False
    return Prepared(
        Request(
            model.model_id,
            messages,
            tools=toolbox.specs(toolbox.registry()) if offers_tools and may_call else (),
            max_output_tokens=limit,
            temperature=temperature,
        ),
        tokens(messages),
        len(kept),
    )


def shrink(sent: Prepared, full: ContextFull) -> int:
    """Return how many tokens, by our own estimate, to send after a request was too long.

    Raises the `ContextFull` if nothing more can be left out.
    """
    if sent.exchanges <= 1:
        raise full
    room = _share_of(full.window)
    if room and full.asked:
        room = sent.tokens * room // full.asked  # the server's count over our estimate
    return min(room or sent.tokens // 2, sent.tokens * 3 // 4)


def learn(turn: LiveTurn, model: Resolved, full: ContextFull) -> None:
    """Remember the size of the context window, if the model's server named it."""
    if full.window:
        turn.context_window = full.window
        windows.learn(model.client.source(model.model_id), full.window)


def _share_of(window: int | None) -> int | None:
    return window and int(window * (1 - ANSWER_SHARE))


def system_prompt(conversation: Conversation) -> str:
    """Return the owner's or the configured system prompt, and the conversation's instructions."""
    chosen = Preference.objects.filter(owner=conversation.owner_id).first()
    return _system(chosen.system_prompt if chosen else None, conversation.instructions)


def _system(chosen: str | None, instructions: str) -> str:
    # cleaned: the environment may hold bytes that are not text
    return storable(
        "\n\n".join(filter(None, [chosen or settings.TALOS_SYSTEM_PROMPT, instructions]))
    )


def fitting(exchanges: Sequence[Exchange], budget: int | None) -> Sequence[Exchange]:
    """Return the latest exchanges that fit into a number of tokens, and always the last one."""
    if budget is None:
        return exchanges
    for start in range(len(exchanges) - 1, -1, -1):
        budget -= tokens(exchanges[start])
        if budget < 0:
            return exchanges[min(start + 1, len(exchanges) - 1) :]
    return exchanges


def tokens(messages: Iterable[ModelMessage]) -> int:
    """Estimate how many tokens messages take, rather too many than too few."""
    return sum(MESSAGE_TOKENS + _bytes(message) // BYTES_PER_TOKEN for message in messages)


def _bytes(message: ModelMessage) -> int:
    size = len(message.content.encode())
    if isinstance(message, AssistantMessage):
        size += _size(message.opaque)
        for call in message.tool_calls:
            size += len(call.name) + len(call.arguments.encode()) + _size(call.opaque)
    return size


def _size(parts: Iterable[Opaque]) -> int:
    return sum(len(part.data) for part in parts)
