"""Promise 2: a turn belongs to its conversation. Clients may leave, return or join and miss nothing."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.chaos.answers import paced, words
from tests.chaos.sizes import sizes
from tests.support.client import Chat, kind, text
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


class Reader:
    """A client that follows one answer over many connections, and knows only their frames."""

    def __init__(self, open_chat: OpenChat, session_id: str) -> None:
        self._open_chat = open_chat
        self._session_id = session_id
        self.got = ""
        self.seq = 0
        self.is_over = False

    async def come(self) -> Chat:
        """Open a new connection, whose snapshot holds at least everything seen so far."""
        chat = await self._open_chat()
        snapshot = await chat.resume(self._session_id)
        so_far = snapshot["turn"] or snapshot["messages"][-1]
        assert snapshot["seq"] >= self.seq
        assert so_far["content"].startswith(self.got)
        self.got, self.seq = so_far["content"], snapshot["seq"]
        self.is_over = snapshot["turn"] is None
        return chat

    async def read(self, chat: Chat, frames: float) -> None:
        """Read so many frames, or all up to the end, each with the next number."""
        while frames > 0 and not self.is_over:
            frame = await chat.next()
            if "seq" in frame:
                frames -= 1
                assert frame["seq"] == self.seq + 1
                self.seq = frame["seq"]
                self.got += frame.get("content", "")
                self.is_over = kind(frame) == "done"


async def an_answer(open_chat: OpenChat, model: Model, count: int) -> Reader:
    """Start an answer of so many words, which runs without a client."""
    model.reply(*paced(count, every=0.001))
    chat = await open_chat()
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    await chat.until("status")
    await chat.close()
    return Reader(open_chat, session_id)


@pytest.mark.promise(2, 3)
@sizes("times", sample=10, full=100)
async def test_disconnects_in_one_answer(
    open_chat: OpenChat, model: Model, rng: random.Random, times: int
) -> None:
    count = 40 * times
    reader = await an_answer(open_chat, model, count)
    for _ in range(times):
        chat = await reader.come()
        await reader.read(chat, rng.randrange(40))
        chat.tear() if rng.random() < 0.5 else await chat.close()
    await reader.read(await reader.come(), float("inf"))
    assert reader.got == "".join(words(count))


@pytest.mark.promise(2, 3)
@sizes("times", sample=10, full=200)
async def test_a_third_tab_joins_at_random_moments(
    open_chat: OpenChat, model: Model, rng: random.Random, times: int
) -> None:
    """Two tabs follow from the beginning; every tab that joins sees the same from then on."""
    first, second = await open_chat(), await open_chat()
    count = 30 * times
    model.reply(*paced(count, every=0.001))
    await second.resume(await first.new(model=model.id))
    await first.send("send", text="go")
    await first.until("delta")
    for _ in range(times):
        reader = Reader(open_chat, first.session_id)
        await asyncio.sleep(rng.uniform(0, 0.03))
        tab = await reader.come()
        await reader.read(tab, rng.randrange(20))
        assert "".join(words(count)).startswith(reader.got)
        await tab.close()
    last = Reader(open_chat, first.session_id)
    await last.read(await last.come(), float("inf"))
    for tab in (first, second):
        await tab.until("done")
        assert text(tab.all) == last.got == "".join(words(count))
