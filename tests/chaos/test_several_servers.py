"""Promises 1, 2, 5 and 9 with several servers on one PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.chaos.several import begun, several, start
from tests.support.client import SECONDS, Frame, kind, kinds, text
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Call, Gate, Silence
from tests.support.servers import Model, OpenChat

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL only"),
]


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[list[str]]:
    """The addresses of two running servers."""
    with several(2, tmp_path_factory.mktemp("two"), model_server) as servers:
        yield start(servers)


def waits(frame: Frame) -> bool:
    return bool(frame.get("data", {}).get("status") == "waiting_approval")


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
    """More than a snapshot shows: it is no list of what somebody waits for."""
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
