"""Approvals: stored, decided from anywhere, exactly once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import Frame, kind, kinds, text
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Tokens
from tests.support.servers import Model, OpenChat, OwnServer, environment
from tests.turns.asking import TOOLS, ask, count, lines, wants

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def asking(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[str]:
    """The address of a server with these tools, which no test kills."""
    data = tmp_path_factory.mktemp("approvals") / "data"
    with fresh_database(data) as variables:
        server = OwnServer(data, {**environment(model_server), **variables})
        yield server.start(TALOS_TOOLS=TOOLS)
        server.kill()


@pytest.mark.promise(5)
async def test_approved_it_runs_once_and_the_answer_comes(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    await ask(chat, model, effects, "a")
    assert count(effects) == 0
    model.reply("Done.")
    await chat.send("approve_tool", call_id="call_a", approved=True)
    frames = await chat.until("done")
    assert [k for k in kinds(frames) if k != "status"] == [
        "approval_resolved", "tool_result", "delta", "done",
    ]  # fmt: skip
    assert frames[0]["data"] == {"call_id": "call_a", "approved": True}
    assert text(frames) == "Done."
    assert count(effects) == 1
    await chat.send("approve_tool", call_id="call_a", approved=True)
    assert (await chat.until("error"))[-1]["code"] == "not_allowed"


@pytest.mark.promise(2, 3)
async def test_what_was_said_before_is_there_all_the_time(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    """Promise 2: also between a command's decision and the server's next poll."""
    address = start.start()
    session_id = await ask(await connect(address), model, effects, "a")
    model.reply("Done.")
    deciding = asyncio.create_task(
        asyncio.to_thread(start.manage, "approvals", "approve", "call_a")
    )
    tab = await connect(address)
    seqs: list[int] = []
    status = ""
    while status != "completed":
        snapshot = await tab.resume(session_id)
        answer, turn = snapshot["messages"][-1], snapshot["turn"]
        status = answer["status"]
        assert status in ("waiting", "running", "completed")
        assert answer["content"].startswith("I will. ")
        assert turn is None or turn["content"].startswith("I will. ")
        assert (turn is None) == (status == "completed")
        seqs.append(snapshot["seq"])
    await deciding
    assert seqs == sorted(seqs)


async def test_its_usage_and_states_are_told_from_before_and_after(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    model.reply(Tokens(7, 3), *wants(effects, "a"))
    await chat.send("send", text="go", model=model.id)
    await chat.until(lambda f: f.get("data", {}).get("status") == "waiting_approval")
    model.reply("Done.", Tokens(9, 4))
    await chat.send("approve_tool", call_id="call_a", approved=True)
    frames = await chat.until("done")
    states = [f["data"]["status"] for f in frames if kind(f) == "status"]
    assert states == ["tool_calling", "thinking", "responding"]
    usage = frames[-1]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (16, 7)


async def test_what_it_took_of_the_context_is_kept_while_it_waits(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    model.reply(Tokens(7, 3), *wants(effects, "a"))
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    await chat.until(lambda f: f.get("data", {}).get("status") == "waiting_approval")
    model.reply("Done.")  # this time the server counts nothing
    await chat.send("approve_tool", call_id="call_a", approved=True)
    await chat.until("done")
    answer = (await chat.resume(session_id))["messages"][-1]
    assert (answer["content"], answer["context_tokens"]) == ("Done.", 10)


@pytest.mark.promise(5)
async def test_denied_the_model_is_told(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    await ask(chat, model, effects, "a")
    model.reply("As you wish.")
    await chat.send("approve_tool", call_id="call_a", approved=False)
    frames = await chat.until("done")
    result = next(f["data"] for f in frames if kind(f) == "tool_result")
    assert result["is_error"] is True
    assert "denied" in result["content"]
    assert "denied" in model.requests[-1].body["messages"][-1]["content"]
    assert count(effects) == 0
    assert frames[-1]["status"] == "completed"


async def test_edited_arguments_are_run_and_both_are_kept(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    await ask(chat, model, effects, "a")
    model.reply("Done.")
    wrong = {"file": str(effects)}
    await chat.send("approve_tool", call_id="call_a", approved=True, arguments=wrong)
    refused = (await chat.until("error"))[-1]
    assert refused["code"] == "not_allowed"
    assert "text" in refused["content"]
    right = {"file": str(effects), "text": "edited"}
    await chat.send("approve_tool", call_id="call_a", approved=True, arguments=right)
    await chat.until("done")
    assert lines(effects) == ["edited"]
    asked_with = json.loads(
        model.requests[-1].body["messages"][2]["tool_calls"][0]["function"]["arguments"]
    )
    assert asked_with["text"] == "edited"


async def test_remembered_it_does_not_ask_again_here_only(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    await ask(chat, model, effects, "a")
    model.reply("Done.")
    await chat.send("approve_tool", call_id="call_a", approved=True, remember=True)
    await chat.until("done")
    model.reply(*wants(effects, "b"))
    model.reply("Done again.")
    frames = await chat.say("once more")
    assert "tool_approval_request" not in kinds(frames)
    assert count(effects) == 2
    assert "always allowed here" in (await chat.say("/approvals"))[0]["content"]
    await chat.say("/approvals forget append_line")
    model.reply(*wants(effects, "c"))
    await chat.send("send", text="and again")
    await chat.until("tool_approval_request")
    await ask(chat, model, effects, "d")  # another conversation asks anyway


@pytest.mark.promise(5, 9)
async def test_a_command_may_decide(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(start.start())
    await ask(chat, model, effects, "a")
    assert "call_a" in await asyncio.to_thread(start.manage, "approvals")
    model.reply("Done.")
    await asyncio.to_thread(start.manage, "approvals", "approve", "call_a")
    frames = await chat.until("done")
    assert kinds(frames)[0] == "approval_resolved"
    assert count(effects) == 1


@pytest.mark.promise(5, 7)
async def test_later_sends_queue_behind_an_approval(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    await ask(chat, model, effects, "a")
    await chat.send("send", text="later", model="echo")
    await chat.until("message_created")
    await chat.nothing_more()
    await chat.send("cancel")
    assert (await chat.until("done"))[-1]["status"] == "cancelled"
    assert text(await chat.until("done")) == "You said: later"
    assert count(effects) == 0


@pytest.mark.parametrize("fields", [{"call_id": "unknown"}, {"call_id": "call_a"}])
async def test_what_is_not_pending_here_is_refused(
    asking: str, connect: OpenChat, model: Model, effects: Path, fields: Frame
) -> None:
    chat, other = await connect(asking), await connect(asking)
    await ask(chat, model, effects, "a")
    await other.send("approve_tool", approved=True, **fields)  # attached to nothing
    assert (await other.until("error"))[-1]["code"] == "not_allowed"
    await other.new()
    await other.send("approve_tool", approved=True, **fields)  # attached to another one
    assert (await other.until("error"))[-1]["code"] == "not_allowed"
    await other.nothing_more()
    assert count(effects) == 0
