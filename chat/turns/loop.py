"""The orchestration loop: ask the model, run the tools that it asks for, ask again.

Starting, continuing after an approval and running again after a crash are one path: tool calls
without a result are answered first, then the model is asked. No coroutine waits for a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import assert_never

from django.conf import settings

from chat.db.lanes import read
from chat.errors import ContextFull, EmptyAnswer, ModelError
from chat.llm.base import (
    Opaque,
    Reasoning,
    Remark,
    Request,
    Stop,
    StreamEvent,
    Text,
    Thought,
    ToolRequest,
    Usage,
    Waiting,
)
from chat.llm.catalogue.models import Resolved, get_catalogue
from chat.protocol import MAX_ANSWER_BYTES
from chat.turns import calls, choice, context, opaque
from chat.turns.journal import Journal
from chat.turns.live import LiveTurn
from chat.turns.waiting import WaitNotes

CUT_SHORT = {
    "length": "Cut off: this answer reached its output limit.",
    "context": "Cut off: the conversation filled the model's context window.",
    "content_filter": "Cut off by the content filter of the model's server.",
}
"""Shown when an answer was cut off."""


async def answer(turn: LiveTurn, journal: Journal) -> bool:
    """Run a turn's rounds. True: it has its answer. False: it waits for a person.

    Raises a `TalosError` if there is no answer.
    """
    if not await calls.answer_open(turn, journal, goes_on=True):
        return False
    async with get_catalogue().hold() as catalogue:
        model = await choice.of(turn, journal, catalogue)
        return await _converse(turn, journal, model)


async def _converse(turn: LiveTurn, journal: Journal, model: Resolved) -> bool:
    """Ask the model and run the tools that it calls, until it calls none."""
    while turn.round < settings.TALOS_TOOL_ROUNDS:
        if turn.round > 0 or turn.beginning is None:
            journal.status(turn, "thinking")
        rest = await ask(turn, journal, model)
        if not rest.requests:
            if turn.has_calls:  # otherwise no later request needs them
                opaque.keep(turn, journal, opaque.parts_of(turn, rest.opaque))
            return True
        source = model.client.source(model.model_id)
        await calls.store(turn, journal, rest.requests, rest.opaque, source)
        turn.round += 1
        if not await calls.answer_open(turn, journal):
            return False
    raise ModelError(
        f"Stopped: the model asked for tools {settings.TALOS_TOOL_ROUNDS} times in one answer "
        "without coming to an end."
    )


async def ask(turn: LiveTurn, journal: Journal, model: Resolved) -> Rest:
    """Ask the model with as much of the conversation as its context takes."""
    while True:
        prepared = await read(context.prepare, turn, model)
        length, thoughts = turn.length, len(turn.reasoning)
        try:
            return await _stream(turn, journal, model, prepared.request)
        except ContextFull as full:
            if (turn.length, len(turn.reasoning)) != (length, thoughts):
                raise
            context.learn(turn, model, full)
            turn.budget = context.shrink(prepared, full)


async def _stream(turn: LiveTurn, journal: Journal, model: Resolved, request: Request) -> Rest:
    """Make one request to the model."""
    with WaitNotes(turn, journal) as waits:
        rest = Rest(turn, journal, model, waits)
        try:
            await _follow(turn, journal, model.client.stream(request), rest)
        except EmptyAnswer:
            if not turn.has_calls or not turn.text.strip():
                raise
            # an empty reply is fine here: the answer came before the calls
    return rest


async def _follow(
    turn: LiveTurn, journal: Journal, stream: AsyncGenerator[StreamEvent], rest: Rest
) -> None:
    """Pass an answer's text to the journal as it arrives."""
    responding, now = False, asyncio.get_running_loop().time
    async with aclosing(stream) as events:
        async for event in events:
            turn.heard_at = now()
            match event:
                case Text(content):
                    if turn.size + len(content.encode()) > MAX_ANSWER_BYTES:
                        raise ModelError("Stopped: the answer grew beyond 1 MiB.")
                    if not responding:
                        journal.status(turn, "responding")
                        responding = True
                    journal.text(turn, content)
                case Reasoning(content):
                    journal.reasoning(turn, content)
                case _:
                    rest.take(event)


Beside = Opaque | Thought | Waiting | Remark | ToolRequest | Usage | Stop


class Rest:
    """The output of a request beside text and reasoning."""

    def __init__(self, turn: LiveTurn, journal: Journal, model: Resolved, waits: WaitNotes) -> None:
        self.requests: list[ToolRequest] = []
        self.opaque: list[Opaque] = []
        """Parts that belong to the answer as a whole."""
        self._turn = turn
        self._journal = journal
        self._model = model
        self._waits = waits

    def take(self, event: Beside) -> None:
        turn = self._turn
        match event:
            case Opaque():
                self.opaque.append(event)
            case Thought():
                opaque.keep(turn, self._journal, opaque.thought(turn))
            case Waiting(note):
                self._waits.say(note)
            case Remark(text):
                turn.remark(text)
            case ToolRequest():
                self.requests.append(event)
            case Usage():
                turn.add_usage(event, self._model.cost(event))
            case Stop(reason):
                turn.cut_short = CUT_SHORT.get(reason, "")
            case _:
                assert_never(event)
