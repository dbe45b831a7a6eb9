"""Simulated visitors, who do everything that a person does, one thing at a time."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Self

import aiohttp

from tests.support.client import Chat, text

PAGES = (
    *("/", "/chats/", "/chats/?q=said", "/settings/", "/shortcuts/", "/sidebar/", "/menu/"),
    *("/api/models", "/api/chat/sessions", "/healthz", "/nowhere/", "/static/nothing.js"),
    *("/admin/", "/admin/chat/conversation/", "/c/{}/", "/c/{}/menu/", "/c/{}/settings/"),
    "/api/chat/sessions/{}/messages",
)


class Visitor:
    """One of many visitors. It deletes all conversations that it creates after its first."""

    def __init__(self, address: str, rng: random.Random, answers: Counter[int]) -> None:
        self.address = address
        self.rng = rng
        self.answers = answers
        """The number of responses by HTTP status."""
        self.home = ""
        """Its conversation."""

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession(
            self.address,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"Origin": self.address},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def stay(self, seconds: float) -> None:
        """Do random things for so long, mostly load pages."""
        rare: tuple[Callable[[], Awaitable[object]], ...] = (
            *(self.turn, self.resume, self.bring_back, self.export),
            *(self.leave, self.leave_a_download),
        )
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)', (await self.get("/")).decode())
        assert found is not None
        self.token = found[1]
        self.home = self.home or await self.talk()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.rng.random() < 0.8:
                await self.get(self.rng.choice(PAGES).format(self.home))
            else:
                await self.rng.choice(rare)()

    # --- actions ----------------------------------------------------------------------------

    async def get(self, path: str) -> bytes:
        async with self.http.get(path) as response:
            self.answers[response.status] += 1
            return await response.read()

    async def post(self, path: str, data: aiohttp.FormData) -> None:
        data.add_field("csrfmiddlewaretoken", self.token)
        async with self.http.post(path, data=data, allow_redirects=False) as response:
            self.answers[response.status] += 1
            await response.read()

    async def talk(self) -> str:
        """Make a conversation with one answer, and return its id."""
        chat = await Chat(self.address).open()
        assert text(await chat.say("I said so", model="echo")) == "You said: I said so"
        await chat.close()
        return chat.session_id

    async def turn(self) -> None:
        await self.post(f"/c/{await self.talk()}/delete/", aiohttp.FormData())

    async def resume(self) -> None:
        chat = await Chat(self.address).open()
        await chat.resume(self.home)
        if self.rng.random() < 0.5:
            chat.tear()
        await chat.close()

    async def bring_back(self) -> None:
        """Download the conversation and import it, which changes nothing."""
        form = aiohttp.FormData()
        archive = await self.get(f"/c/{self.home}/download.jsonl")
        form.add_field("file", archive, filename="chat.jsonl")
        await self.post("/import/", form)

    async def export(self) -> None:
        await self.get("/export/")

    async def leave(self) -> None:
        """Request a page, and leave before it is served."""
        asking = asyncio.create_task(self.get(f"/c/{self.home}/"))
        await asyncio.wait({asking}, timeout=self.rng.uniform(0, 0.05))
        asking.cancel()
        await asyncio.wait({asking})

    async def leave_a_download(self) -> None:
        async with self.http.get("/export/") as response:
            await response.content.read(1)
            response.close()
