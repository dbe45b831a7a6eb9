"""Approvals and calls of a server that is killed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.support.client import SECONDS, text
from tests.support.model_server.steps import Call, Silence
from tests.support.servers import Model, OpenChat, OwnServer
from tests.turns.asking import ask, count

pytestmark = pytest.mark.anyio


@pytest.mark.promise(4, 5)
async def test_an_approval_outlives_a_killed_server(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    session_id = await ask(await connect(start.start()), model, effects, "a")
    start.kill()
    chat = await connect(start.start())
    snapshot = await chat.resume(session_id)
    assert snapshot["turn"]["status"] == "waiting_approval"
    assert [c["status"] for c in snapshot["turn"]["tool_calls"]] == ["pending"]
    model.reply("Done.")
    await chat.send("approve_tool", call_id="call_a", approved=True)
    assert text(await chat.until("done")) == "Done."
    assert count(effects) == 1


async def held(effects: Path) -> None:
    async with asyncio.timeout(SECONDS):
        while not effects.with_suffix(".held").exists():  # noqa: ASYNC110  (another process's file)
            await asyncio.sleep(0.01)


@pytest.mark.promise(4)
@pytest.mark.parametrize(("before", "expected"), [(True, 0), (False, 1)])
async def test_a_call_that_ran_when_the_server_died_is_unknown(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path, before: bool, expected: int
) -> None:
    arguments = {"file": str(effects), "text": "x", "before": before}
    model.reply(Call("hold", json.dumps(arguments)))
    chat = await connect(start.start())
    await chat.send("send", text="go", model=model.id)
    await chat.until("tool_call")
    await held(effects)
    start.kill()
    chat2 = await connect(start.start())
    answer = (await chat2.resume(chat.session_id))["messages"][-1]
    assert answer["status"] == "interrupted"
    assert [call["status"] for call in answer["tool_calls"]] == ["unknown"]
    assert count(effects) == expected
    await chat2.say("go on", model=model.id)
    told = [m for m in model.requests[-1].body["messages"] if m["role"] == "tool"]
    assert "may or may not" in told[0]["content"]
    assert count(effects) == expected


@pytest.mark.promise(4, 5)
async def test_a_server_killed_right_after_an_approval_runs_it_at_most_once(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(start.start())
    session_id = await ask(chat, model, effects, "a")
    model.reply("Done.")
    model.reply("Done.")
    await chat.send("approve_tool", call_id="call_a", approved=True)
    await chat.until("approval_resolved")
    start.kill()
    chat = await connect(start.start())
    snapshot = await chat.resume(session_id)
    if snapshot["messages"][-1]["status"] in ("queued", "running"):
        await chat.until("done")
        snapshot = await chat.resume(session_id)
    answer = snapshot["messages"][-1]
    (call,) = answer["tool_calls"]
    assert (answer["status"], call["status"], count(effects)) in [
        ("completed", "finished", 1),
        ("interrupted", "finished", 1),
        ("interrupted", "unknown", 0),
        ("interrupted", "unknown", 1),
    ]
    assert text(await chat.say("go on", model="echo")) == "You said: go on"


@pytest.mark.promise(4)
async def test_a_repeatable_call_is_run_again(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    model.reply(Call("hold_once", json.dumps({"file": str(effects)})))
    chat = await connect(start.start())
    await chat.send("send", text="go", model=model.id, client_id=model.id)
    await chat.until("tool_call")
    await held(effects)
    start.kill()
    model.reply("Went on.")
    chat2 = await connect(start.start())
    end = (await chat2.say("go", client_id=model.id))[-1]
    assert end["status"] == "completed"
    assert count(effects) == 2


@pytest.mark.promise(4)
async def test_a_result_that_was_stored_is_kept_when_the_server_dies(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(start.start())
    session_id = await ask(chat, model, effects, "a")
    model.reply(Silence())
    await chat.send("approve_tool", call_id="call_a", approved=True)
    await chat.until("tool_result")
    start.kill()
    chat = await connect(start.start())
    answer = (await chat.resume(session_id))["messages"][-1]
    assert answer["status"] == "interrupted"
    assert [call["status"] for call in answer["tool_calls"]] == ["finished"]
    assert count(effects) == 1
