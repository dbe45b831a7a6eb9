"""Promises 1, 4, 6 and 8: many clients do the same thing, or the opposite, at the same moment."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.chaos.sizes import sizes
from tests.support.client import Chat, Frame, kind, kinds, text, without_gaps
from tests.support.model_server.steps import Call, Gate
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio


@pytest.mark.promise(1, 7)
@sizes("times", sample=1, full=20)
async def test_twenty_sends_at_once_are_answered_one_after_the_other(
    open_chat: OpenChat, model: Model, times: int
) -> None:
    for _ in range(times):
        chats = [await open_chat() for _ in range(20)]
        session_id = await chats[0].new(model=model.id)
        for chat in chats[1:]:
            await chat.resume(session_id)
        names = [str(uuid4()) for _ in chats]
        sends = zip(chats, names, strict=True)
        await asyncio.gather(*(c.send("send", text=name, client_id=name) for c, name in sends))
        for _ in names:
            await chats[0].until("done")
        frames = chats[0].all
        asked = [f["data"]["client_id"] for f in frames if kind(f) == "message_created"]
        ended = [frame["client_id"] for frame in frames if kind(frame) == "done"]
        assert sorted(asked) == sorted(names)
        assert ended == asked
        assert text(frames) == "".join(f"You said: {name}" for name in asked)
        assert without_gaps(frames)
        for chat in chats:
            await chat.close()


@pytest.mark.promise(1)
@sizes("times", sample=1, full=20)
async def test_twenty_first_sends_of_one_client_id_are_one(
    open_chat: OpenChat, model: Model, times: int
) -> None:
    """From twenty connections without an open conversation: one conversation is created."""
    for number in range(times):
        name = str(uuid4())
        chats = [await open_chat() for _ in range(20)]
        ends = await asyncio.gather(
            *(chat.say("once", model=model.id, client_id=name) for chat in chats)
        )
        assert {frames[-1]["message_id"] for frames in ends} == {ends[0][-1]["message_id"]}
        assert {frames[-1]["status"] for frames in ends} == {"completed"}
        assert len({chat.session_id for chat in chats}) == 1
        assert len(model.requests) == number + 1
        snapshot = await chats[0].resume(chats[0].session_id)
        assert [m["role"] for m in snapshot["messages"]] == ["user", "assistant"]
        for chat in chats:
            await chat.nothing_more("title", "message_created")
            assert sum(kind(frame) == "done" for frame in chat.all) == 1
            await chat.close()


@pytest.mark.promise(1)
async def test_twenty_sends_of_one_client_id_on_one_connection_are_one(
    open_chat: OpenChat, model: Model
) -> None:
    chat, name = await open_chat(), str(uuid4())
    for _ in range(20):
        await chat.send("send", text="once", model=model.id, client_id=name)
    await chat.until("done")
    await chat.nothing_more("message_created", "done")
    assert sum(kind(frame) == "session_created" for frame in chat.all) == 1
    assert len(model.requests) == 1


@pytest.mark.promise(1, 3)
@sizes("times", sample=30, full=500)
async def test_a_stop_within_20_ms_of_the_end_has_one_outcome(
    open_chat: OpenChat, model: Model, rng: random.Random, times: int
) -> None:
    chat, tab = await open_chat(), await open_chat()
    await tab.resume(await chat.new(model=model.id))
    outcomes = []
    for number in range(times):
        gate = Gate()
        model.reply("all ", "of ", gate, "it")
        since = len(chat.all)
        await chat.send("send", text="go", client_id=f"{model.id}-{number}")
        await chat.until(lambda frame: frame.get("content") == "of ")
        moment = rng.uniform(-0.02, 0.02)
        if moment < 0:
            gate.open()
        await asyncio.sleep(abs(moment))
        await rng.choice((chat, tab)).send("cancel")
        gate.open()
        end = (await chat.until("done"))[-1]
        outcomes.append(end["status"])
        frames = chat.all[since:]
        assert end["client_id"] == f"{model.id}-{number}"
        assert text(frames) == "all of it" or (
            end["status"] == "cancelled" and text(frames) == "all of "
        )
        assert (await tab.until("done"))[-1] == end
        stored = (await tab.resume(chat.session_id))["messages"][-1]
        assert (stored["content"], stored["status"]) == (text(frames), end["status"])
    await chat.nothing_more("title")
    assert set(outcomes) <= {"completed", "cancelled"}
    assert sum(kind(frame) == "done" for frame in chat.all) == times
    assert without_gaps(chat.all)


# --- decisions about one tool call --------------------------------------------------------------


class Asking:
    """A server where a tool asks again and again, with two tabs that decide."""

    def __init__(self, chat: Chat, tab: Chat, model: Model, effects: Path) -> None:
        self.chat, self.tab, self.model, self.effects = chat, tab, model, effects
        self._count = 0

    async def ask(self, *, until: str | None = None) -> str:
        """Make a pending call, wait until both tabs see it or a frame `until`, and return its id."""
        (call_id,) = await self.ask_for(1, until=until)
        return call_id

    async def ask_for(self, calls: int, *, until: str | None = None) -> list[str]:
        """Do the same with several calls in one answer."""
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
    """The approval arrives while the turn checks whether it has to wait."""
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
    """No decision is forgotten while other calls run or their turn begins to wait."""
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
    """Check that the conversation is gone for all, the send has one end, and nothing is stuck."""
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
