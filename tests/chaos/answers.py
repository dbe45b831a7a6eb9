"""Long answers and the client's way of reading them."""

from __future__ import annotations

import asyncio

from tests.support.client import Chat, Frame, kind
from tests.support.model_server.steps import Pause, Step


def words(count: int) -> list[str]:
    return [f"{number} " for number in range(count)]


def paced(count: int, *, every: float) -> list[Step]:
    """Return the steps of an answer of so many words, with pauses between them."""
    return [step for word in words(count) for step in (word, Pause(every))]


async def say_until_it_works(chat: Chat, text: str, **fields: object) -> tuple[list[Frame], int]:
    """Repeat refused sends. Returns the frames of the one that worked, and the number of refusals."""
    refused = 0
    while True:
        frames = await chat.say(text, **fields)
        if frames[-1]["status"] == "completed":
            return frames, refused
        (error,) = (frame for frame in frames if kind(frame) == "error")
        assert error["code"] == "internal", error
        refused += 1
        await asyncio.sleep(0.1)
