"""A model that plays a script: for tests in the same process, and for the demo model.

No network. A round is the answer to one request: strings are pieces of text, numbers are seconds to
wait, an `asyncio.Event` holds the answer until it is set, an exception is raised, and any stream
event is passed on. `Stop` is added to a round without one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence

from chat.errors import ModelError
from chat.llm.base import (
    Opaque,
    Reasoning,
    Remark,
    Request,
    Stop,
    StreamEvent,
    SystemMessage,
    Text,
    Thought,
    ToolRequest,
    Usage,
    Waiting,
)

TITLE_PROMPT = "Write a title"
"""The beginning of the system message that asks for a conversation's title, and of no other."""

Step = StreamEvent | str | float | asyncio.Event | Exception


def asks_for_title(request: Request) -> bool:
    match request.messages:
        case (SystemMessage(content), *_):
            return content.startswith(TITLE_PROMPT)
        case _:
            return False


async def play(steps: Iterable[Step]) -> AsyncGenerator[StreamEvent]:
    """Yield one round as a stream."""
    has_tools = False
    for step in steps:
        match step:
            case str():
                yield Text(step)
            case int() | float():
                await asyncio.sleep(step)
            case asyncio.Event():
                await step.wait()
            case Exception():
                raise step
            case (
                Text()
                | Reasoning()
                | Opaque()
                | Thought()
                | Waiting()
                | Remark()
                | ToolRequest()
                | Usage()
                | Stop()
            ):
                has_tools = has_tools or isinstance(step, ToolRequest)
                yield step
                if isinstance(step, Stop):
                    return
    yield Stop("tool_calls" if has_tools else "stop")


class ScriptedModel:
    """Plays its rounds in order, and records its requests.

    Requests for a title are answered apart from the rounds, so that tests need not count them.
    """

    def __init__(self, *rounds: Sequence[Step], title: str = "A scripted title") -> None:
        self.title = title
        self.requests: list[Request] = []
        self.title_requests: list[Request] = []
        self.closed_early = 0
        """The number of answers cancelled or closed before their end."""
        self._rounds = deque(rounds)

    def reply(self, *steps: Step) -> None:
        """Add one more round."""
        self._rounds.append(steps)

    def source(self, model: str) -> str:
        return f"scripted/{model}"

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        steps = self._steps(request)
        ended = False
        try:
            async for event in play(steps):
                ended = isinstance(event, Stop)
                yield event
        except Exception:
            ended = True  # scripted
            raise
        finally:
            self.closed_early += not ended

    def _steps(self, request: Request) -> Sequence[Step]:
        if asks_for_title(request):
            self.title_requests.append(request)
            return (self.title,)
        self.requests.append(request)
        if not self._rounds:
            return (ModelError("The script has no further round."),)
        return self._rounds.popleft()
