"""Promises 2, 4, 5 and 7: of several servers on one PostgreSQL, one dies and one freezes."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from django.db import connection

from tests.chaos.answers import paced
from tests.chaos.several import begun, several, start
from tests.chaos.sizes import sizes
from tests.support.client import SECONDS, Chat, Frame, kind, text
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Call, Pause, Silence
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL only"),
]
HASTY = ("-m", "tests.support.altered_server", "chat.turns.poller:DEAD_POLLS=4", "chat.turns.poller:HEARTBEAT_POLLS=1")  # fmt: skip

WITHIN = 30
"""Seconds after its server's death in which a turn continues elsewhere, as promised."""


@pytest.fixture
def three(tmp_path: Path, collected: None, model_server: ModelServer) -> Iterator[list[OwnServer]]:
    """Servers that take each other for dead after four seconds instead of twenty."""
    with several(3, tmp_path, model_server, *HASTY) as servers:
        yield servers


async def settled(chat: Chat, session_id: str) -> Frame:
    snapshot = await chat.resume(session_id)
    async with asyncio.timeout(2 * SECONDS):
        while snapshot["turn"] is not None or snapshot["messages"][-1]["status"] == "queued":
            await asyncio.sleep(0.2)
            snapshot = await chat.resume(session_id)
    return snapshot


@pytest.mark.promise(2, 4, 5, 7)
@sizes("looks", sample=4, full=20)
async def test_a_killed_and_a_frozen_server_are_replaced_by_the_third(
    three: list[OwnServer], connect: OpenChat, model: Model, tmp_path: Path, looks: int
) -> None:
    if looks == 20:
        for server in three:
            server.talos.command = ("manage.py", "serve")
    killed, frozen, other = start(three)
    died = await Died.begin(killed, other, connect, model, tmp_path / "effects")
    froze = await Froze.begin(frozen, connect, Model(model.server))
    three[1].talos.process.send_signal(signal.SIGSTOP)
    three[0].kill()
    since = time.monotonic()
    try:
        await died.goes_on(model)
        await froze.goes_on(other, connect)
        assert time.monotonic() - since < WITHIN
    finally:
        three[1].talos.process.send_signal(signal.SIGCONT)
    await froze.finishes_nothing()


@dataclass
class Died:
    """What a server was doing when it was killed: an answer, one behind it, a question whether a
    tool may run, and an answer that had not begun; and tabs at another server."""

    tabs: list[Chat]
    asked: str
    silent: str
    later: str
    effects: Path

    @classmethod
    async def begin(
        cls, address: str, other: str, connect: OpenChat, model: Model, effects: Path
    ) -> Self:
        chats = [await connect(address) for _ in range(3)]
        tabs = [await connect(other) for _ in range(3)]
        seen = await begun(chats[0], model, "seen ", Silence())
        later = f"{model.id}-later"
        await chats[0].send("send", text="later", model="echo", client_id=later)
        call = Call("append_line", json.dumps({"file": str(effects), "text": "x"}))
        asked = await begun(chats[1], model, call, until="tool_approval_request")
        silent = await begun(chats[2], model, Silence(), until="status")
        await model.request(3)
        model.reply("second try")
        assert (await tabs[0].resume(seen))["turn"]["content"] == "seen "
        return cls(tabs, asked, silent, later, effects)

    async def goes_on(self, model: Model) -> None:
        tabs = self.tabs
        tabs[0].patience = WITHIN
        assert (await tabs[0].until("done"))[-1]["status"] == "interrupted"
        assert (await tabs[0].until("done"))[-1]["client_id"] == self.later
        again = (await settled(tabs[2], self.silent))["messages"][-1]
        assert again["content"] == "second try"
        assert (await tabs[1].resume(self.asked))["turn"]["status"] == "waiting_approval"
        model.reply("Done.")
        await tabs[1].send("approve_tool", call_id="call_1", approved=True)
        assert text(await tabs[1].until("done")) == "Done."
        assert self.effects.read_text() == "x\n"


@dataclass
class Froze:
    """What a server was doing when it froze: an answer, and one that had not begun."""

    shown: Chat
    hidden: Chat
    witness: Chat | None = None
    answers: tuple[Frame, ...] = ()

    @classmethod
    async def begin(cls, address: str, connect: OpenChat, model: Model) -> Self:
        shown, hidden = await connect(address), await connect(address)
        await begun(shown, model, *paced(2000, every=0.005))
        count = len(model.requests)
        await begun(hidden, model, Pause(60), "first run", until="status")
        await model.request(count + 1)
        model.reply("second run")
        return cls(shown, hidden)

    async def goes_on(self, address: str, connect: OpenChat) -> None:
        self.witness = await connect(address)
        shown = (await settled(self.witness, self.shown.session_id))["messages"][-1]
        hidden = (await settled(self.witness, self.hidden.session_id))["messages"][-1]
        assert shown["status"] == "interrupted"
        assert (hidden["content"], hidden["status"]) == ("second run", "completed")
        self.answers = shown, hidden

    async def finishes_nothing(self) -> None:
        """Awake again, it shows the current state and changes nothing."""
        assert self.witness is not None
        for page, answer in zip((self.shown, self.hidden), self.answers, strict=True):
            assert (await page.until("done"))[-1]["status"] == answer["status"]
            await page.nothing_more("title")
            assert sum(kind(frame) == "done" for frame in page.all) == 1
            assert answer["content"].startswith(text(page.all))
            snapshot = await self.witness.resume(page.session_id)
            assert snapshot["messages"][-1] == answer
        assert text(await self.hidden.say("still here", model="echo")) == "You said: still here"
