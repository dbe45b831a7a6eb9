"""The orchestration loop: ask the model, run the tools that it asks for, ask again.

Starting, going on after an approval and running again after a crash are one path: tool calls
without a result are answered first, then the model is asked. No coroutine waits for a person.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import assert_never

from django.conf import settings

from chat.database import read
from chat.errors import ModelError
from chat.llm.base import Reasoning, Stop, Text, ToolRequest, Usage
from chat.llm.catalogue import Resolved
from chat.protocol import MAX_ANSWER_BYTES
from chat.turns import calls, history
from chat.turns.journal import Journal
from chat.turns.live import LiveTurn

CUT_SHORT = {
    "length": "Cut off: this answer reached its output limit.",
    "content_filter": "Cut off by the content filter of the model's server.",
}
"""What is said of an answer that its model was not let finish."""


async def answer(turn: LiveTurn, journal: Journal, model: Resolved) -> bool:
    """Move a turn on. True: it has its answer; False: it waits for a person.

    Raises `ModelError` when there is no answer.
    """
    if not await calls.answer_open(turn, journal, goes_on=True):
        return False
    while turn.round < settings.TALOS_TOOL_ROUNDS:
        if turn.round > 0 or turn.beginning is None:
            journal.status(turn, "thinking")
        requests = await ask(turn, journal, model)
        if not requests:
            return True
        await calls.store(turn, journal, requests)
        turn.round += 1
        if not await calls.answer_open(turn, journal):
            return False
    raise ModelError(
        f"Stopped: the model asked for tools {settings.TALOS_TOOL_ROUNDS} times in one answer "
        "without coming to an end."
    )


async def ask(turn: LiveTurn, journal: Journal, model: Resolved) -> list[ToolRequest]:
    """One request to the model. Its text goes to the journal as it comes."""
    request = await read(history.request, turn, model)
    requests: list[ToolRequest] = []
    responding = False
    async with aclosing(model.client.stream(request)) as events:
        async for event in events:
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
                case ToolRequest():
                    requests.append(event)
                case Usage():
                    turn.add_usage(event, model.cost(event))
                case Stop(reason):
                    turn.cut_short = CUT_SHORT.get(reason, "")
                case _:
                    assert_never(event)
    return requests
