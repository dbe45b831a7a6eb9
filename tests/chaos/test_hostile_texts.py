"""Promise 1 beside texts that keep third-party code busy forever: only their readers wait.

The texts are shown as answers grow, at their end, and repeatedly on their pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from statistics import quantiles
from time import monotonic

import aiohttp
import pytest
from django.db import connection

from tests.chaos.sizes import sizes
from tests.markdown.costly_texts import COSTLY, in_all_languages
from tests.support.client import Chat, kind
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(600),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="knows no database: tried on SQLite"),
]
STREAMS = 20
PACE = 0.1
"""Seconds between two tokens of each answer."""
TOKENS = 3000
"""Most tokens of each answer."""
USUAL = "Here it *is*:\n\n```python\ndef f(x): return x + 1\n```\n\n- one\n- two\n"
LANGUAGES = 50_000
"""Characters of code in each language."""


class Lateness:
    """Seconds from the model's token to its arrival here."""

    def __init__(self) -> None:
        self.all: list[float] = []

    @property
    def worst(self) -> float:
        return max(self.all)

    def __str__(self) -> str:
        median, *_, late = quantiles(self.all, n=100)[49:]
        return f"median {median * 1000:.0f} ms, 99% {late * 1000:.0f} ms, worst {self.worst * 1000:.0f} ms"


class Stream:
    """Another person's answer, which arrives token by token."""

    def __init__(self, chat: Chat, model: Model) -> None:
        self._chat, self._model = chat, model
        self._gates = [Gate() for _ in range(TOKENS)]
        self._given: list[float] = []
        self.lateness = Lateness()

    async def begin(self) -> None:
        self._model.reply(
            *(
                step
                for number, gate in enumerate(self._gates)
                for step in (gate, "token\n\n" if number % 50 == 49 else "token ")
            )
        )
        await self._chat.send("send", text="go", model=self._model.id, render=True)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        got = 0
        while kind(frame := await self._chat.next()) != "done":
            if kind(frame) == "delta":
                for _ in range(frame["content"].count("token")):
                    if got < len(self._given):
                        self.lateness.all.append(monotonic() - self._given[got])
                    got += 1

    def give(self) -> None:
        self._given.append(monotonic())
        self._gates[len(self._given) - 1].open()

    async def end(self) -> None:
        await self._chat.send("cancel")
        await self._reading


@asynccontextmanager
async def giving(streams: list[Stream]) -> AsyncIterator[Lateness]:
    """Read tokens meanwhile, and return their delays."""
    found = Lateness()
    for stream in streams:
        stream.lateness = found

    async def give() -> None:
        while True:
            for stream in streams:
                stream.give()
                await asyncio.sleep(PACE / len(streams))

    task = asyncio.create_task(give())
    yield found
    task.cancel()


def hostile(share: float) -> Iterator[str]:
    """Yield all kinds of text, and code in some of the languages."""
    for text in COSTLY.values():
        yield text if share == 1 else text[:20_000]
    found = list(in_all_languages(LANGUAGES))
    fences = [f"```{language}\n{code}\n```\n" for language, code in found[:: round(1 / share)]]
    yield from ("".join(fences[at : at + 3]) for at in range(0, len(fences), 3))


async def show(connect: OpenChat, model: Model, address: str, texts: Iterator[str]) -> None:
    """Show the texts as answers and on their pages, five to a conversation: each request to the
    model holds the whole conversation, which this process has to read."""
    for number, text in enumerate(texts):
        if number % 5 == 0:
            chat = await connect(address)
            chat.patience = 120
        size = 4096
        model.reply(*(text[at : at + size] for at in range(0, len(text), size)))
        await chat.say("go on", model=model.id, render=True)
        if number % 5 in (0, 4):
            await page(address, chat.session_id)


async def page(address: str, session_id: str) -> float:
    """Return the seconds it took."""
    began = monotonic()
    async with aiohttp.ClientSession() as http, http.get(f"{address}/c/{session_id}/") as response:
        assert response.status == 200
        await response.read()
    return monotonic() - began


async def pages_of_a_stranger(address: str, session_id: str, took: list[float]) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            took.append(await page(address, session_id))
            began = monotonic()
            async with http.get(f"{address}/healthz") as response:
                assert response.status == 200
            took.append(monotonic() - began)
            await asyncio.sleep(0.2)


@pytest.mark.promise(1)
@sizes("share", sample=0.01, full=1)
async def test_costly_texts_hold_up_nobody_else(
    own_server: OwnServer, connect: OpenChat, model_server: ModelServer, share: float
) -> None:
    address = own_server.start()
    *others, stranger = [await connect(address) for _ in range(STREAMS + 1)]
    usual = Model(model_server)
    usual.reply(USUAL)
    await stranger.say("go", model=usual.id, render=True)
    streams = [Stream(chat, Model(model_server)) for chat in others]
    for stream in streams:
        await stream.begin()

    quiet: list[float] = []
    async with giving(streams) as lateness_before:
        looking = asyncio.create_task(pages_of_a_stranger(address, stranger.session_id, quiet))
        await asyncio.sleep(3)
        looking.cancel()
    took: list[float] = []
    async with giving(streams) as lateness:
        looking = asyncio.create_task(pages_of_a_stranger(address, stranger.session_id, took))
        await show(connect, Model(model_server), address, hostile(share))
        looking.cancel()
    for stream in streams:
        await stream.end()
    print(f"Tokens before: {lateness_before}; meanwhile: {lateness}.")
    print(
        f"Pages before: up to {max(quiet):.2f} s; meanwhile {len(took)}, up to {max(took):.2f} s."
    )
    # a text that blocks the server does so for ten seconds or more
    assert lateness.worst < max(1.0, 5 * lateness_before.worst)
    assert max(took) < max(2.0, 5 * max(quiet))
