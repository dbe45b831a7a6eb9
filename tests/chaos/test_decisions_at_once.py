"""Promises 1, 3, 5 and 8: tabs decide, stop and delete at the same moment."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.chaos.sizes import sizes
from tests.support.client import Chat, Frame, kind, kinds, text, without_gaps
from tests.support.model_server.steps import Call
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio


class Asking:
    """A server where a tool asks again and again, with two tabs that decide."""

    def __init__(self, chat: Chat, tab: Chat, model: Model, effects: Path) -> None:
        self.chat, self.tab, self.model, self.effects = chat, tab, model, effects
        self._count = 0

    async def ask(self, *, until: str | None = None) -> str:
        """Make a pending call that both tabs see, and return its id. Or wait for a kind of frame."""
        (call_id,) = await self.ask_for(1, until=until)
        return call_id

    async def ask_for(self, calls: int, *, until: str | None = None) -> list[str]:
        """Make pending calls of one answer, likewise."""
        self._count += 1
        names = [f"n{self._count}-{number}" for number in range(calls)]
        self.model.server.rules[self.model.id] = lambda body: (
            ["Done."]
            if body["messages"][-1]["role"] == "tool"
            else [self._call(name, index) for index, name in enumerate(names)]
        )
        await self.tab.resume(await self.chat.new(model=self.model.id))
        await self.chat.send("send", text="go")
        for page in (self.chat, self.tab):
            await page.until(
                until or (lambda f: f.get("data", {}).get("status") == "waiting_approval")
            )
        return [f"call_{name}" for name in names]

    def _call(self, name: str, index: int) -> Call:
        arguments = json.dumps({"file": str(self.effects), "text": name})
        return Call("append_line", arguments, f"call_{name}", index)

    def count(self, call_id: str) -> int:
        lines = self.effects.read_text().splitlines() if self.effects.exists() else []
        return lines.count(call_id.removeprefix("call_"))


@pytest.fixture
async def asking(own_server: OwnServer, connect: OpenChat, model: Model, tmp_path: Path) -> Asking:
    own_server.variables["TALOS_TOOLS"] = "tools,tests.support.effect_tools"
    address = own_server.start()
    return Asking(await connect(address), await connect(address), model, tmp_path / "effects.txt")


@pytest.mark.promise(5)
@sizes("times", sample=10, full=300)
async def test_approved_the_moment_it_is_asked_for(asking: Asking, times: int) -> None:
    """At the moment when the turn checks whether it has to wait."""
    for _ in range(times):
        call_id = await asking.ask(until="tool_approval_request")
        await asking.chat.send("approve_tool", call_id=call_id, approved=True)
        for page in (asking.chat, asking.tab):
            frames = await page.until("done")
            assert (text(frames), frames[-1]["status"]) == ("Done.", "completed")
        assert asking.count(call_id) == 1


@pytest.mark.promise(5)
@sizes("times", sample=5, full=100)
async def test_opposite_decisions(asking: Asking, times: int) -> None:
    """Exactly one decision takes effect."""
    for _ in range(times):
        call_id = await asking.ask()
        await asyncio.gather(
            asking.chat.send("approve_tool", call_id=call_id, approved=False),
            asking.tab.send("approve_tool", call_id=call_id, approved=True),
        )
        for page in (asking.chat, asking.tab):
            frames = await page.until("done")
            decisions = [f["data"]["approved"] for f in frames if kind(f) == "approval_resolved"]
            assert decisions == [asking.count(call_id) == 1]


@pytest.mark.promise(1, 5)
@sizes("times", sample=5, full=100)
async def test_approved_and_stopped(asking: Asking, times: int) -> None:
    for _ in range(times):
        call_id = await asking.ask()
        await asyncio.gather(
            asking.chat.send("approve_tool", call_id=call_id, approved=True),
            asking.tab.send("cancel"),
        )
        end = (await asking.chat.until("done"))[-1]
        assert (await asking.tab.until("done"))[-1] == end
        assert end["status"] in ("completed", "cancelled")
        assert asking.count(call_id) <= 1
        (call,) = (await asking.tab.resume(asking.chat.session_id))["messages"][-1]["tool_calls"]
        assert call["status"] in ("finished", "failed")
        if call["status"] == "finished":
            assert asking.count(call_id) == 1


@pytest.mark.promise(3, 5)
@sizes("times", sample=3, full=100)
async def test_several_calls_decided_at_random_moments(
    asking: Asking, rng: random.Random, times: int
) -> None:
    """While others run, and while their turn begins to wait: none is forgotten."""
    for _ in range(times):
        wanted = {call_id: rng.random() < 0.7 for call_id in await asking.ask_for(4)}
        for call_id in rng.sample(list(wanted), len(wanted)):
            await asyncio.sleep(rng.choice([0, 0, rng.uniform(0, 0.08)]))
            page = rng.choice([asking.chat, asking.tab])
            await page.send("approve_tool", call_id=call_id, approved=wanted[call_id])
        for page in (asking.chat, asking.tab):
            frames = await page.until("done")
            assert (text(frames), frames[-1]["status"]) == ("Done.", "completed")
            results = [f["data"] for f in frames if kind(f) == "tool_result"]
            assert {each["call_id"]: not each["is_error"] for each in results} == wanted
            assert len(results) == len(wanted)
        assert {call_id: asking.count(call_id) for call_id in wanted} == wanted
        assert without_gaps(frames)


@pytest.mark.promise(1, 5)
@sizes("times", sample=3, full=100)
async def test_several_calls_decided_and_stopped(
    asking: Asking, rng: random.Random, times: int
) -> None:
    for _ in range(times):
        wanted = await asking.ask_for(3)
        acts: list[Frame] = [
            {"action": "approve_tool", "call_id": one, "approved": True} for one in wanted
        ]
        acts.insert(rng.randrange(4), {"action": "cancel"})
        for act in acts:
            await asyncio.sleep(rng.choice([0, rng.uniform(0, 0.05)]))
            await rng.choice([asking.chat, asking.tab]).send(**act)
        end = (await asking.chat.until("done"))[-1]
        assert (await asking.tab.until("done"))[-1] == end
        answer = (await asking.tab.resume(asking.chat.session_id))["messages"][-1]
        assert answer["status"] == end["status"]
        for call in answer["tool_calls"]:
            assert call["status"] in ("finished", "failed")
            assert asking.count(call["call_id"]) <= 1
            assert call["status"] == "failed" or asking.count(call["call_id"]) == 1


@pytest.fixture
async def delete(asking: Asking) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Delete a conversation as the page's form does."""
    address = asking.chat.url.removesuffix("/api/chat/ws")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        page = await (await http.get(address)).text()
        token = re.search(r"""csrfmiddlewaretoken"? value="(\w+)|X-CSRFToken": ?"(\w+)""", page)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1] or token[2]}

        async def delete(session_id: str) -> None:
            url = f"{address}/c/{session_id}/delete/"
            async with http.post(
                url, data=form, headers={"Origin": address}, allow_redirects=False
            ) as response:
                assert response.status == 302

        yield delete


@pytest.mark.promise(1, 5, 8)
@sizes("times", sample=5, full=100)
async def test_approved_stopped_and_deleted(
    asking: Asking, delete: Callable[[str], Awaitable[None]], times: int
) -> None:
    """The conversation is gone for everybody, the send has exactly one end, and nothing is stuck."""
    for _ in range(times):
        call_id = await asking.ask()
        session_id = asking.chat.session_id
        await asyncio.gather(
            asking.chat.send("approve_tool", call_id=call_id, approved=True),
            asking.tab.send("cancel"),
            delete(session_id),
        )
        for page in (asking.chat, asking.tab):
            frames = await page.until("conversation_deleted")
            assert sum(kind(frame) == "done" for frame in frames) == 1
        assert asking.count(call_id) <= 1
        await asking.tab.send("resume_session", session_id=session_id)
        refused = await asking.tab.until(lambda f: f.get("code") == "session_not_found")
        assert kinds(refused)[-1] == "error"
    assert text(await asking.chat.say("go on", model="echo")) == "You said: go on"
