"""Turns rows into what a model reads: the only translator between the two.

The result is always valid: each exchange begins with a user message, and every tool call is
followed by its result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from django.db.models import Q

from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Opaque,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.models import Message, OpaquePart, ToolCall
from chat.models.branches import Line, lines
from chat.turns.live import LiveTurn

GO_ON = (
    "Your answer was cut off. Go on exactly where it stopped, without repeating what is there and "
    "without a word about the interruption."
)
"""Sent to a model before an answer that continues the one before; never shown."""

Exchange = list[ModelMessage]
"""A user message and everything that answers it; never split."""

M = TypeVar("M", Line, Message)

_NO_RESULT = "This call has no result: it was never run."


def exchanges_of(turn: LiveTurn, source: str) -> list[Exchange]:
    """Read the history of a turn, with the opaque parts of the model of `source`."""
    history = _history(turn)
    calls, parts = _calls(history), _parts(history, source)
    exchanges: list[Exchange] = []
    for message in history:
        if message.role == Message.Role.USER:
            exchanges.append([UserMessage(message.content)])
        elif exchanges:
            if isinstance(exchanges[-1][-1], AssistantMessage):
                exchanges[-1].append(UserMessage(GO_ON))  # an answer that continues another
            text = turn.text if message.pk == turn.message_id else message.content
            exchanges[-1] += rounds(text, calls[message.pk], parts[message.pk])
    return exchanges


def _history(turn: LiveTurn) -> Sequence[Line]:
    """Read the branch up to the turn's answer, and no more of it than the turn asks for."""
    if turn.context is None:
        return lines(turn.message_id)
    count = turn.context + 2  # the question and its answer
    while True:
        found = lines(turn.message_id, last=count)
        questions = [n for n, message in enumerate(found) if message.role == Message.Role.USER]
        if len(found) < count or (questions and questions[-1] >= turn.context):
            return [*last(found[: questions[-1]], turn.context), *found[questions[-1] :]]
        count *= 2  # answers that continue one another come between


def last(messages: Sequence[M], count: int) -> Sequence[M]:
    """Return the last `count` messages, cut so that they begin with a user message."""
    messages = messages[-count:] if count else []
    for start, message in enumerate(messages):
        if message.role == Message.Role.USER:
            return messages[start:]
    return []


def rounds(
    text: str, calls: Iterable[ToolCall], parts: Iterable[OpaquePart] = ()
) -> Iterator[ModelMessage]:
    """Yield an answer as the model gave it: text, calls, results, text …"""
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
    """The opaque parts of an answer, by round and call."""

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
        """Return where a round's text begins after its reasoning, in code points of the answer."""
        return max(begin, self._thought_until.get(number, 0))


def _place(data: str) -> int:
    """Read a place in a text. An imported archive may have anything there."""
    return int(data) if data.isdecimal() and len(data) < 10 else 0


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
