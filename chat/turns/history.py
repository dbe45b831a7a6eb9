"""Rows into what a model reads: the only translator between the two.

What comes out is always valid: it begins with the system prompt and a user message, and every
tool call is followed by its result. It is cut at turn borders only, to as many messages as the
turn asks for and to the model's context window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from chat import statements
from chat.branches import Line, lines
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Request,
    SystemMessage,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.llm.catalogue import Resolved
from chat.llm.text import clean
from chat.models import Conversation, Message, Preference, ToolCall
from chat.turns import toolbox
from chat.turns.live import LiveTurn

BYTES_PER_TOKEN = 3
"""An estimate on the safe side: English has about four bytes a token, Chinese about three."""
MESSAGE_TOKENS = 8
"""What a message costs beside its text, at most."""
ANSWER_SHARE = 0.25
"""Of the context window, kept for the answer."""

GO_ON = (
    "Your answer was cut off. Go on exactly where it stopped, without repeating what is there and "
    "without a word about the interruption."
)
"""What a model is told before an answer that goes on with the one before; never shown."""

Exchange = list[ModelMessage]
"""A user message and all that was answered to it: what is never cut apart."""

M = TypeVar("M", Line, Message)

_ASKED = """
SELECT chat.instructions, preference.system_prompt, chat.temperature, chat.max_output_tokens
FROM chat_conversation chat
LEFT JOIN chat_preference preference ON preference.owner_id = chat.owner_id
WHERE chat.id = %s
"""
_NO_RESULT = "This call has no result: it was never run."


def request(turn: LiveTurn, model: Resolved) -> Request:
    """What the model is asked, for the next round of a turn."""
    ((instructions, prompt, temperature, limit),) = statements.select(_ASKED, turn.conversation_id)
    window = model.context_window and int(model.context_window * (1 - ANSWER_SHARE))
    return Request(
        model.model_id,
        context(turn, SystemMessage(_system(prompt, instructions)), budget=window),
        tools=() if model.supports_tools is False else toolbox.registry().specs(),
        max_output_tokens=limit,
        temperature=temperature,
    )


def system_prompt(conversation: Conversation) -> str:
    """The owner's system prompt, else the configured one, and the conversation's instructions."""
    chosen = Preference.objects.filter(owner=conversation.owner_id).first()
    return _system(chosen.system_prompt if chosen else None, conversation.instructions)


def _system(chosen: str | None, instructions: str) -> str:
    # cleaned: the environment may hold bytes that are no text
    return clean("\n\n".join(filter(None, [chosen or settings.TALOS_SYSTEM_PROMPT, instructions])))


def context(
    turn: LiveTurn, system: SystemMessage, *, budget: int | None
) -> tuple[ModelMessage, ...]:
    """The system prompt and the history of a turn, in about so many tokens at most."""
    said = _said(turn)
    calls = _calls(said)
    exchanges: list[Exchange] = []
    for message in said:
        if message.role == Message.Role.USER:
            exchanges.append([UserMessage(message.content)])
        elif exchanges:
            if isinstance(exchanges[-1][-1], AssistantMessage):
                exchanges[-1].append(UserMessage(GO_ON))  # an answer that goes on with another
            text = turn.text if message.pk == turn.message_id else message.content
            exchanges[-1] += rounds(text, calls[message.pk])
    kept = fitting(exchanges, budget and budget - tokens([system]))
    return (system, *(message for exchange in kept for message in exchange))


def _said(turn: LiveTurn) -> Sequence[Line]:
    """The branch up to the turn's answer, as much of it as the turn asks for: no more is read."""
    if turn.context is None:
        return lines(turn.message_id)
    count = turn.context + 2  # the question and its answer
    while True:
        said = lines(turn.message_id, last=count)
        questions = [n for n, message in enumerate(said) if message.role == Message.Role.USER]
        if len(said) < count or (questions and questions[-1] >= turn.context):
            return [*last(said[: questions[-1]], turn.context), *said[questions[-1] :]]
        count *= 2  # answers that go on with one another stand between


def last(messages: Sequence[M], count: int) -> Sequence[M]:
    """The last `count` messages, cut so that they begin with a user message."""
    messages = messages[-count:] if count else []
    for start, message in enumerate(messages):
        if message.role == Message.Role.USER:
            return messages[start:]
    return []


def rounds(text: str, calls: Iterable[ToolCall]) -> Iterator[ModelMessage]:
    """An answer as the model gave it: text, calls, results, text …"""
    done = 0
    for _, group in groupby(calls, key=lambda call: call.round):
        together = list(group)
        upto = together[0].offset
        yield AssistantMessage(
            text[done:upto],
            tuple(ToolRequest(call.call_id, call.name, call.used_arguments) for call in together),
        )
        for call in together:
            yield ToolMessage(call.call_id, call.name, call.result or _NO_RESULT)
        done = upto
    if rest := text[done:]:
        yield AssistantMessage(rest)


def fitting(exchanges: Sequence[Exchange], budget: int | None) -> Sequence[Exchange]:
    """The latest exchanges that fit into a number of tokens; the last one always does."""
    if budget is None:
        return exchanges
    for start in range(len(exchanges) - 1, -1, -1):
        budget -= tokens(exchanges[start])
        if budget < 0:
            return exchanges[min(start + 1, len(exchanges) - 1) :]
    return exchanges


def tokens(messages: Iterable[ModelMessage]) -> int:
    """About how many tokens messages take; rather too many than too few."""
    return sum(MESSAGE_TOKENS + _bytes(message) // BYTES_PER_TOKEN for message in messages)


def _bytes(message: ModelMessage) -> int:
    size = len(message.content.encode())
    if isinstance(message, AssistantMessage):
        size += sum(len(call.name) + len(call.arguments.encode()) for call in message.tool_calls)
    return size


def _calls(messages: Iterable[Line]) -> defaultdict[UUID, list[ToolCall]]:
    calls: defaultdict[UUID, list[ToolCall]] = defaultdict(list)
    if answers := [message.pk for message in messages if message.has_calls]:
        for call in ToolCall.objects.filter(message__in=answers).order_by("round", "pk"):
            calls[call.message_id].append(call)
    return calls
