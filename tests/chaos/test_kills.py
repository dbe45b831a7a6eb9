"""Promises 1, 3, 4 and 5: a server that is killed, or told to stop, at any moment of a turn.

Turns of text, of a tool, of a tool that asks first, and of two calls that ask; the person decides
before or after the kill, both at once or one by one. Everything that a client saw is stored, each
send gets one end, and no tool's effect happens twice.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.db import connection

from tests.chaos.answers import paced, words
from tests.chaos.sizes import sizes
from tests.support.client import SECONDS, Chat, Frame, kind, numbers, text, without_gaps
from tests.support.model_server.steps import Call, Step
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio
WORDS = 30
EVERY = 0.004
TOOLS = {
    "text": (),
    "tool": ("note_line",),
    "approval": ("append_line",),
    "approvals": ("append_line", "append_line"),
}


@dataclass
class Turn:
    """One turn under fire: the model's script, and the frames that a client saw."""

    name: str
    tools: Sequence[str]
    """The calls that its model makes."""
    effects: Path
    decides: str
    """The kind of frame on which the person approves a call."""
    seen: list[Frame] = field(default_factory=list)

    def reply(self, body: dict[str, Any]) -> Iterator[Step]:
        """Script the model: some words, the tool, and after its result some more words."""
        yield from paced(WORDS, every=EVERY)
        for index, tool in enumerate(self.tools if body["messages"][-1]["role"] != "tool" else ()):
            arguments = json.dumps({"file": str(self.effects), "text": self.lines[index]})
            yield Call(tool, arguments, call_id=f"call_{self.lines[index]}", index=index)

    async def watch(self, chat: Chat, seconds: float) -> None:
        """Watch for so many seconds, or until the end."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while not self.is_over:
                    self.seen.append(await chat.next())
                    if self._waiting and self._is_time(self.seen[-1]):
                        await approve(chat, self._waiting[-1])

    @property
    def lines(self) -> list[str]:
        """The lines that its calls write."""
        return [f"{self.name}-{index}" for index in range(len(self.tools))]

    @property
    def _waiting(self) -> list[str]:
        asked, decided = (
            [frame["data"]["call_id"] for frame in self.seen if kind(frame) == name]
            for name in ("tool_approval_request", "approval_resolved")
        )
        return [call_id for call_id in asked if call_id not in decided]

    def _is_time(self, frame: Frame) -> bool:
        is_let_go = frame.get("data", {}).get("status") == "waiting_approval"
        return kind(frame) == self.decides or (bool(self.decides) and is_let_go)

    @property
    def is_over(self) -> bool:
        return any(kind(frame) == "done" for frame in self.seen)

    @property
    def effect_counts(self) -> list[int]:
        """Return the state of each call."""
        found = self.effects.read_text().splitlines() if self.effects.exists() else []
        return [found.count(line) for line in self.lines]


async def approve(chat: Chat, call_id: str) -> None:
    await chat.send("approve_tool", call_id=call_id, approved=True)


async def settle(chat: Chat, session_id: str, turn: Turn) -> Frame:
    """Return as a page does: resume, decide pending calls, send again. Returns the final snapshot."""
    live = (await chat.resume(session_id))["turn"] or {"tool_calls": []}
    for call in live["tool_calls"]:
        if call["status"] == "pending":
            await approve(chat, call["call_id"])
    await chat.send("send", text=turn.name, client_id=turn.name)
    while True:
        frames = await chat.until(lambda frame: kind(frame) in ("done", "tool_approval_request"))
        if kind(frames[-1]) == "done":
            return await chat.resume(session_id)
        await approve(chat, frames[-1]["data"]["call_id"])


def check(turn: Turn, snapshot: Frame) -> None:
    question, answer = snapshot["messages"][-2:]
    assert question["content"] == turn.name
    told = {frame["status"] for frame in turn.seen if kind(frame) == "done"}
    assert answer["status"] in (told or {"completed", "interrupted"})
    assert answer["content"].startswith(text(turn.seen))
    assert not numbers(turn.seen) or without_gaps(turn.seen)
    assert snapshot["seq"] >= max([0, *numbers(turn.seen)])
    whole = "".join(words(WORDS)) * (2 if turn.tools else 1)
    assert whole.startswith(answer["content"])
    if answer["status"] == "completed":
        assert answer["content"] == whole
    results = [frame["data"] for frame in turn.seen if kind(frame) == "tool_result"]
    worked = [result["call_id"] for result in results if not result["is_error"]]
    for call, count in zip(answer["tool_calls"], turn.effect_counts, strict=False):
        assert call["status"] in ("finished", "unknown", "failed")
        assert count <= 1
        if call["status"] == "finished" or call["call_id"] in worked:
            assert count == 1


def is_sound(data: Path) -> bool:
    """Whether SQLite finds no error in its file and no dangling reference."""
    if connection.vendor != "sqlite":
        return True
    with closing(sqlite3.connect(data / "talos.sqlite3")) as database:
        faults = database.execute("PRAGMA foreign_key_check").fetchall()
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)] and not faults


@pytest.fixture
def server(own_server: OwnServer) -> OwnServer:
    own_server.variables["TALOS_TOOLS"] = "tools,tests.support.effect_tools"
    return own_server


class Range:
    """Runs turns under fire, one after the other, in one conversation."""

    def __init__(self, server: OwnServer, connect: OpenChat, model: Model, effects: Path) -> None:
        self.server, self.connect, self.model, self.effects = server, connect, model, effects
        self.count = 0

    async def begin(self) -> None:
        self.chat = await self.connect(self.server.start())
        self.session_id = await self.chat.new(model=self.model.id)

    async def fire(self, rng: random.Random, *, politely: bool) -> None:
        """Run one turn, and end the server in it."""
        story = rng.choice(list(TOOLS))
        self.count += 1
        name = f"{self.count}-{story}"
        decides = rng.choice(["tool_approval_request", "tool_result", "status", ""])
        turn = Turn(name, TOOLS[story], self.effects, decides)
        self.model.server.rules[self.model.id] = turn.reply
        await self.chat.send("send", text=name, client_id=name)
        await turn.watch(self.chat, rng.uniform(0, 2.2 * WORDS * EVERY))
        if politely:
            self.server.talos.process.terminate()
            await turn.watch(self.chat, SECONDS)
            assert (await asyncio.to_thread(self.server.talos.end))[0] == 0
            with pytest.raises(ConnectionError):
                await self.chat.until(lambda _: False)  # the end may have been sent already
            assert self.chat.closed_with == 1012
        else:
            self.server.kill()
        address = self.server.start(TALOS_DRAIN_SECONDS=str(rng.randrange(2)))
        check(turn, await settle(await self.connect(address), self.session_id, turn))
        self.chat = await self.connect(address)
        await self.chat.resume(self.session_id, context="full")

    async def is_whole(self) -> None:
        """Check that no question was stored twice and that the conversation continues."""
        asked = [m for m in await self.messages() if m["role"] == "user"]
        assert len({message["content"] for message in asked}) == len(asked) == self.count
        assert text(await self.chat.say("go on", model="echo")) == "You said: go on"
        self.server.kill()
        assert is_sound(self.server.talos.data)

    async def messages(self) -> list[Frame]:
        """Read all messages, page by page."""
        url = f"{self.server.talos.address}/api/chat/sessions/{self.session_id}/messages"
        found: list[Frame] = []
        async with aiohttp.ClientSession() as http:
            while True:
                query = {"before": found[0]["id"]} if found else {}
                async with http.get(url, params=query) as response:
                    page = await response.json()
                found = page["messages"] + found
                if not page["has_more"]:
                    return found


@pytest.mark.promise(1, 3, 4, 5)
@sizes("times", sample=4, full=50)
async def test_killed_at_random_moments(
    server: OwnServer,
    connect: OpenChat,
    model: Model,
    tmp_path: Path,
    rng: random.Random,
    times: int,
) -> None:
    place = Range(server, connect, model, tmp_path / "effects")
    await place.begin()
    for _ in range(times):
        await place.fire(rng, politely=False)
    await place.is_whole()


@pytest.mark.promise(1, 3, 4, 5, 6)
@sizes("times", sample=2, full=20)
async def test_told_to_stop_at_random_moments(
    server: OwnServer,
    connect: OpenChat,
    model: Model,
    tmp_path: Path,
    rng: random.Random,
    times: int,
) -> None:
    place = Range(server, connect, model, tmp_path / "effects")
    await place.begin()
    for _ in range(times):
        await place.fire(rng, politely=True)
    await place.is_whole()
