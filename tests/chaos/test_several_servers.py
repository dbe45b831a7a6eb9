"""Promises 2, 5, 6 and 9 with several servers on one PostgreSQL, of which some die or freeze."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from django.db import connection

from tests.chaos.answers import paced
from tests.chaos.sizes import sizes
from tests.support.client import SECONDS, Chat, Frame, kind, kinds, text
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Call, Gate, Pause, Silence
from tests.support.servers import Model, OpenChat, OwnServer, environment

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL only"),
]
HASTY = ("-m", "tests.support.altered_server", "chat.turns.poller:DEAD_POLLS=4", "chat.turns.poller:HEARTBEAT_POLLS=1")  # fmt: skip

WITHIN = 30
"""Seconds after its server's death in which a turn continues elsewhere, as promised."""


@contextmanager
def several(
    count: int, folder: Path, models: ModelServer, *command: str
) -> Iterator[list[OwnServer]]:
    """Servers on one database."""
    with fresh_database(folder) as variables, ExitStack() as stack:
        common = {
            **environment(models),
            **variables,
            "TALOS_TOOLS": "tools,tests.support.effect_tools",
        }
        made = [OwnServer(folder / str(number), common, *command) for number in range(count)]
        for server in made:
            stack.callback(server.kill)
        yield made


def start(servers: Iterable[OwnServer]) -> list[str]:
    with ThreadPoolExecutor() as side_by_side:
        return list(side_by_side.map(OwnServer.start, servers))


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[list[str]]:
    """The addresses of two running servers."""
    with several(2, tmp_path_factory.mktemp("two"), model_server) as servers:
        yield start(servers)


@pytest.fixture
def three(tmp_path: Path, collected: None, model_server: ModelServer) -> Iterator[list[OwnServer]]:
    """Servers that consider each other dead after four seconds instead of twenty."""
    with several(3, tmp_path, model_server, *HASTY) as servers:
        yield servers


def waits(frame: Frame) -> bool:
    return bool(frame.get("data", {}).get("status") == "waiting_approval")


async def begun(
    chat: Chat, model: Model, *steps: object, until: str | Callable[[Frame], bool] = "delta"
) -> str:
    model.reply(*steps)  # type: ignore[arg-type]  # steps
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go", client_id=f"{model.id}-{session_id}")
    await chat.until(until)
    return session_id


@pytest.mark.promise(2, 9)
async def test_a_tab_at_another_server_sees_the_answer_grow_and_end(
    two: list[str], connect: OpenChat, model: Model
) -> None:
    here, there = two
    chat, tab = await connect(here), await connect(there)
    gate, more = Gate(), Gate()
    session_id = await begun(chat, model, "one ", gate, "two ", more, "three")
    assert (await tab.resume(session_id))["turn"]["content"] == "one "
    gate.open()
    snapshot = (await tab.until("session_created"))[-1]["data"]
    assert snapshot["turn"]["content"] == "one two "
    more.open()
    end = (await chat.until("done"))[-1]
    frames = await tab.until("done")
    assert frames[-2]["data"]["messages"][-1]["content"] == "one two three"
    assert frames[-2]["data"]["seq"] == end["seq"]
    assert frames[-1] == {name: value for name, value in end.items() if name != "seq"}
    await tab.nothing_more()


@pytest.mark.promise(2, 9)
async def test_a_short_answer_that_another_server_gave_ends_too(
    two: list[str], connect: OpenChat, model: Model
) -> None:
    here, there = two
    chat, tab = await connect(here), await connect(there)
    session_id = await chat.new(model="echo")
    await tab.resume(session_id)
    took = []
    for number in range(3):
        since = time.monotonic()
        await chat.say(str(number))
        frames = await tab.until(shows(f"You said: {number}"))
        took.append(time.monotonic() - since)
        if "message_created" not in kinds(frames):  # sent after its own poll
            await tab.until("message_created")
    assert min(took) < 2  # one may take longer on a busy machine


def shows(answer: str) -> Callable[[Frame], bool]:
    """Wait for a snapshot that ends with this message."""
    return lambda frame: (
        kind(frame) == "session_created" and frame["data"]["messages"][-1]["content"] == answer
    )


@pytest.mark.promise(5, 9)
async def test_a_stop_and_an_approval_from_another_server(
    two: list[str], connect: OpenChat, model: Model, tmp_path: Path
) -> None:
    here, there = two
    chat, tab = await connect(here), await connect(there)
    session_id = await begun(chat, model, "x", Silence())
    await tab.resume(session_id)
    await tab.send("cancel")
    for page in (chat, tab):  # each hears of the other's writes
        since = time.monotonic()
        assert (await page.until("done"))[-1]["status"] == "cancelled"
        assert time.monotonic() - since < 2.5

    effects = tmp_path / "effects.txt"
    call = Call("append_line", json.dumps({"file": str(effects), "text": "x"}))
    model.reply(call)
    model.reply("Done.")
    await chat.send("send", text="do it")
    await chat.until(waits)
    await tab.until(lambda f: bool((f.get("data", {}).get("turn") or {}).get("tool_calls")))
    await tab.send("approve_tool", call_id="call_1", approved=True)
    assert text(await tab.until("done")) == "Done."
    frames = await chat.until("done")
    assert any(shows("Done.")(frame) for frame in frames)
    if "approval_resolved" not in kinds(frames):
        await chat.until("approval_resolved")
    assert effects.read_text() == "x\n"


@pytest.mark.promise(5, 9)
async def test_a_call_that_another_server_approves_joins_one_that_runs(
    two: list[str], connect: OpenChat, model: Model, tmp_path: Path
) -> None:
    here, there = two
    chat, tab = await connect(here), await connect(there)
    effects = tmp_path / "effects.txt"
    tools = {"held": "append_later", "quick": "append_line", "later": "append_line"}
    calls = [
        Call(tool, json.dumps({"file": str(effects), "text": name}), f"call_{name}", index)
        for index, (name, tool) in enumerate(tools.items())
    ]
    session_id = await begun(chat, model, *calls, until=waits)
    await tab.resume(session_id)
    await chat.send("approve_tool", call_id="call_held", approved=True)
    async with asyncio.timeout(SECONDS):
        while not effects.exists():  # noqa: ASYNC110  (another process's file)
            await asyncio.sleep(0.01)
    await tab.send("approve_tool", call_id="call_quick", approved=True)
    result = (await chat.until("tool_result"))[-1]["data"]
    assert result["call_id"] == "call_quick"  # the server with the turn runs it, beside another
    (tmp_path / "held").touch()
    await chat.until(waits)
    model.reply("Done.")
    await tab.send("approve_tool", call_id="call_later", approved=True)
    assert (
        text(await tab.until("done")) == "Done."
    )  # the server that hears of it continues the turn
    assert effects.read_text().split() == ["held", "quick", "later"]


@pytest.mark.promise(1, 9)
async def test_fifteen_sends_behind_another_servers_answer_have_their_ends(
    two: list[str], connect: OpenChat, model: Model
) -> None:
    """More sends than a snapshot shows: it does not list every send that a client waits for."""
    here, there = two
    chat, tab = await connect(here), await connect(there)
    grow, end_it = Gate(), Gate()
    session_id = await begun(chat, model, "x", grow, "y", end_it)
    await tab.resume(session_id)
    keys = [f"{session_id}-{number}" for number in range(15)]
    for key in keys:
        await tab.send("send", text="more", client_id=key, model="echo")
        await tab.until("message_created")
    grow.open()
    await tab.until(lambda frame: (frame.get("data", {}).get("turn") or {}).get("content") == "xy")
    end_it.open()
    ends: list[str] = []
    while len(ends) < len(keys):
        end = (await tab.until("done"))[-1]
        if end["client_id"] in keys:
            ends.append(end["client_id"])
    assert sorted(ends) == sorted(keys)
    await tab.nothing_more()


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
    """The work of a server when it was killed: an answer, one queued behind it, a pending call, and
    an answer that had not begun; with tabs at another server."""

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
    """The work of a server when it froze: an answer, and one that had not begun."""

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
        """Check that the server, awake again, shows the current state and changes nothing."""
        assert self.witness is not None
        for page, answer in zip((self.shown, self.hidden), self.answers, strict=True):
            assert (await page.until("done"))[-1]["status"] == answer["status"]
            await page.nothing_more("title")
            assert sum(kind(frame) == "done" for frame in page.all) == 1
            assert answer["content"].startswith(text(page.all))
            snapshot = await self.witness.resume(page.session_id)
            assert snapshot["messages"][-1] == answer
        assert text(await self.hidden.say("still here", model="echo")) == "You said: still here"


@pytest.mark.promise(1, 9)
async def test_twenty_first_sends_at_two_servers_are_one(
    two: list[str], connect: OpenChat, model: Model
) -> None:
    chats = [await connect(two[number % 2]) for number in range(20)]
    ends = await asyncio.gather(
        *(chat.say("once", model=model.id, client_id=model.id) for chat in chats)
    )
    assert {frames[-1]["status"] for frames in ends} == {"completed"}
    assert len({frames[-1]["message_id"] for frames in ends}) == 1
    assert len(model.requests) == 1
    assert len({chat.session_id for chat in chats}) == 1
