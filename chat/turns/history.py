"""Rows into what a model reads: the only translator between the two.

What comes out is always valid: it begins with the system prompt and a user message, and every
tool call is followed by its result. It is cut at turn borders only, to as many messages as the
turn asks for and to the model's context window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from chat import statements
from chat.branches import Line, lines
from chat.errors import ContextFull
from chat.llm import windows
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Opaque,
    Request,
    SystemMessage,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.llm.catalogue import Resolved
from chat.llm.text import clean
from chat.models import Conversation, Message, OpaquePart, Preference, ToolCall
from chat.turns import toolbox
from chat.turns.live import LiveTurn

BYTES_PER_TOKEN = 3
"""An estimate on the safe side: English has about four bytes a token, Chinese about three."""
MESSAGE_TOKENS = 8
"""What a message costs beside its text, at most."""
ANSWER_SHARE = 0.25
"""Of the context window, kept for the answer."""

LEFT_OUT = (
    "The conversation no longer fits into this model's context: its oldest messages were left out."
)
GO_ON = (
    "Your answer was cut off. Go on exactly where it stopped, without repeating what is there and "
    "without a word about the interruption."
)
"""What a model is told before an answer that goes on with the one before; never shown."""

Exchange = list[ModelMessage]
"""A user message and all that was answered to it: what is never cut apart."""

M = TypeVar("M", Line, Message)

_ASKED = """
SELECT chat.instructions, preference.system_prompt, chat.temperature, chat.max_output_tokens,
       chat.offers_tools AND for_model.offers_tools IS NOT FALSE
FROM chat_conversation chat
LEFT JOIN chat_preference preference ON preference.owner_id = chat.owner_id
LEFT JOIN chat_modelpreference for_model
    ON for_model.owner_id = chat.owner_id AND for_model.model = %s
WHERE chat.id = %s
"""
_NO_RESULT = "This call has no result: it was never run."


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and how much of the conversation is in it."""

    request: Request
    tokens: int
    """About how many its messages take."""
    exchanges: int


def asked(turn: LiveTurn, model: Resolved) -> Asked:
    """What the model is asked, for the next round of a turn."""
    rows = statements.select(_ASKED, turn.model, turn.conversation_id)
    ((instructions, prompt, temperature, limit, offers_tools),) = rows
    source = model.client.source(model.model_id)
    turn.context_window = windows.known(source, model.context_window)
    budget = turn.budget or _share_of(turn.context_window)
    system = SystemMessage(_system(prompt, instructions))
    exchanges = _exchanges(turn, source)
    kept = fitting(exchanges, budget and budget - tokens([system]))
    messages = (system, *(message for exchange in kept for message in exchange))
    if len(kept) < len(exchanges):
        turn.remark(LEFT_OUT)
    may_call = model.supports_tools is not False
    return Asked(
        Request(
            model.model_id,
            messages,
            tools=toolbox.registry().specs() if offers_tools and may_call else (),
            max_output_tokens=limit,
            temperature=temperature,
        ),
        tokens(messages),
        len(kept),
    )


def smaller(asked: Asked, full: ContextFull) -> int:
    """How many tokens, by our own estimate, to send after a request was too long.

    Raises the `ContextFull` where nothing more can be left out.
    """
    if asked.exchanges <= 1:
        raise full
    room = _share_of(full.window)
    if room and full.asked:
        room = asked.tokens * room // full.asked  # the server's count over our estimate
    return min(room or asked.tokens // 2, asked.tokens * 3 // 4)


def learn(turn: LiveTurn, model: Resolved, full: ContextFull) -> None:
    """Remember what the model's server said that it holds."""
    if full.window:
        turn.context_window = full.window
        windows.learn(model.client.source(model.model_id), full.window)


def _share_of(window: int | None) -> int | None:
    return window and int(window * (1 - ANSWER_SHARE))


def system_prompt(conversation: Conversation) -> str:
    """The owner's system prompt, else the configured one, and the conversation's instructions."""
    chosen = Preference.objects.filter(owner=conversation.owner_id).first()
    return _system(chosen.system_prompt if chosen else None, conversation.instructions)


def _system(chosen: str | None, instructions: str) -> str:
    # cleaned: the environment may hold bytes that are no text
    return clean("\n\n".join(filter(None, [chosen or settings.TALOS_SYSTEM_PROMPT, instructions])))


def _exchanges(turn: LiveTurn, source: str) -> list[Exchange]:
    """The history of a turn, with what the model of `source` said for itself alone."""
    said = _said(turn)
    calls, parts = _calls(said), _parts(said, source)
    exchanges: list[Exchange] = []
    for message in said:
        if message.role == Message.Role.USER:
            exchanges.append([UserMessage(message.content)])
        elif exchanges:
            if isinstance(exchanges[-1][-1], AssistantMessage):
                exchanges[-1].append(UserMessage(GO_ON))  # an answer that goes on with another
            text = turn.text if message.pk == turn.message_id else message.content
            exchanges[-1] += rounds(text, calls[message.pk], parts[message.pk])
    return exchanges


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


def rounds(
    text: str, calls: Iterable[ToolCall], parts: Iterable[OpaquePart] = ()
) -> Iterator[ModelMessage]:
    """An answer as the model gave it: text, calls, results, text …"""
    of_rounds = _Parts(parts)
    done, number = 0, -1
    for number, group in groupby(calls, key=lambda call: call.round):
        together = list(group)
        upto = together[0].offset
        yield AssistantMessage(
            text[of_rounds.spoken_from(number, done) : upto],
            tuple(
                ToolRequest(
                    call.call_id, call.name, call.used_arguments, of_rounds.of(number, call.call_id)
                )
                for call in together
            ),
            of_rounds.of(number),
        )
        for call in together:
            yield ToolMessage(call.call_id, call.name, call.result or _NO_RESULT)
        done = upto
    rest = text[of_rounds.spoken_from(number + 1, done) :]
    if rest and not rest.isspace():
        yield AssistantMessage(rest, opaque=of_rounds.of(number + 1))


class _Parts:
    """What belongs to which round of an answer, and to which call."""

    def __init__(self, parts: Iterable[OpaquePart]) -> None:
        self._of: defaultdict[tuple[int, str], list[Opaque]] = defaultdict(list)
        self._thought_until: dict[int, int] = {}
        for part in parts:
            if part.kind == OpaquePart.THOUGHT:
                self._thought_until[part.round] = _place(part.data)
            else:
                self._of[part.round, part.call_id].append(Opaque(part.kind, part.source, part.data))

    def of(self, number: int, call_id: str = "") -> tuple[Opaque, ...]:
        return tuple(self._of.get((number, call_id), ()))

    def spoken_from(self, number: int, begin: int) -> int:
        """Where a round's own words begin, in code points of the answer."""
        return max(begin, self._thought_until.get(number, 0))


def _place(data: str) -> int:
    """A place in a text. An archive that was imported may have anything there."""
    return int(data) if data.isdecimal() and len(data) < 10 else 0


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
        size += _size(message.opaque)
        for call in message.tool_calls:
            size += len(call.name) + len(call.arguments.encode()) + _size(call.opaque)
    return size


def _size(parts: Iterable[Opaque]) -> int:
    return sum(len(part.data) for part in parts)


def _calls(messages: Iterable[Line]) -> defaultdict[UUID, list[ToolCall]]:
    calls: defaultdict[UUID, list[ToolCall]] = defaultdict(list)
    if answers := [message.pk for message in messages if not message.is_plain]:
        for call in ToolCall.objects.filter(message__in=answers).order_by("round", "pk"):
            calls[call.message_id].append(call)
    return calls


def _parts(messages: Iterable[Line], source: str) -> defaultdict[UUID, list[OpaquePart]]:
    parts: defaultdict[UUID, list[OpaquePart]] = defaultdict(list)
    if answers := [message.pk for message in messages if not message.is_plain]:
        found = OpaquePart.objects.filter(message__in=answers)
        for part in found.filter(Q(source=source) | Q(kind=OpaquePart.THOUGHT)).order_by("pk"):
            parts[part.message_id].append(part)
    return parts
