"""Long answers, and what a client makes of them."""

from __future__ import annotations

import asyncio

from tests.support.client import Chat, Frame, kind
from tests.support.model_server.steps import Pause, Step


def words(count: int) -> list[str]:
    return [f"{number} " for number in range(count)]


def paced(count: int, *, every: float) -> list[Step]:
    """An answer of so many words, one after the other."""
    return [step for word in words(count) for step in (word, Pause(every))]


async def say_until_it_works(chat: Chat, text: str, **fields: object) -> tuple[list[Frame], int]:
    """Send again what was refused; the frames of the send that worked, and how many were refused."""
    refused = 0
    while True:
        frames = await chat.say(text, **fields)
        if frames[-1]["status"] == "completed":
            return frames, refused
        (error,) = (frame for frame in frames if kind(frame) == "error")
        assert error["code"] == "internal", error
        refused += 1
        await asyncio.sleep(0.1)
