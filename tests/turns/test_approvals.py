"""Approvals: stored, decided from anywhere, exactly once, across restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import SECONDS, Chat, Frame, kind, kinds, text
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Call, Silence, Tokens
from tests.support.servers import Model, OpenChat, OwnServer, environment

pytestmark = pytest.mark.anyio
TOOLS = "tools,tests.support.effect_tools"


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    return tmp_path / "effects.txt"


def lines(effects: Path) -> list[str]:
    return effects.read_text().splitlines() if effects.exists() else []


def count(effects: Path) -> int:
    return len(lines(effects))


def wants(effects: Path, *texts: str) -> list[Call]:
    """Make calls that each write a line if approved."""
    return [
        Call("append_line", json.dumps({"file": str(effects), "text": line}), f"call_{line}", index)
        for index, line in enumerate(texts)
    ]


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


@pytest.fixture
def start(own_server: OwnServer) -> OwnServer:
    own_server.variables["TALOS_TOOLS"] = TOOLS
    return own_server


async def asked(chat: Chat, model: Model, effects: Path, *texts: str) -> str:
    """Start a turn that waits for approvals of these calls. Returns the conversation's id."""
    model.reply("I will. ", *wants(effects, *texts))
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    frames = await chat.until(lambda f: f.get("data", {}).get("status") == "waiting_approval")
    requests = [f["data"]["call_id"] for f in frames if kind(f) == "tool_approval_request"]
    assert requests == [f"call_{line}" for line in texts]
    return session_id


@pytest.mark.promise(5)
async def test_approved_it_runs_once_and_the_answer_comes(
    asking: str, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(asking)
    await asked(chat, model, effects, "a")
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
    session_id = await asked(await connect(address), model, effects, "a")
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
    await asked(chat, model, effects, "a")
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
    await asked(chat, model, effects, "a")
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
    await asked(chat, model, effects, "a")
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
    await asked(chat, model, effects, "d")  # another conversation asks anyway


@pytest.mark.promise(4, 5)
async def test_an_approval_outlives_a_killed_server(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    session_id = await asked(await connect(start.start()), model, effects, "a")
    start.kill()
    chat = await connect(start.start())
    snapshot = await chat.resume(session_id)
    assert snapshot["turn"]["status"] == "waiting_approval"
    assert [c["status"] for c in snapshot["turn"]["tool_calls"]] == ["pending"]
    model.reply("Done.")
    await chat.send("approve_tool", call_id="call_a", approved=True)
    assert text(await chat.until("done")) == "Done."
    assert count(effects) == 1


@pytest.mark.promise(5, 9)
async def test_a_command_may_decide(
    start: OwnServer, connect: OpenChat, model: Model, effects: Path
) -> None:
    chat = await connect(start.start())
    await asked(chat, model, effects, "a")
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
    await asked(chat, model, effects, "a")
    await chat.send("send", text="later", model="echo")
    await chat.until("message_created")
    await chat.nothing_more()
    await chat.send("cancel")
    assert (await chat.until("done"))[-1]["status"] == "cancelled"
    assert text(await chat.until("done")) == "You said: later"
    assert count(effects) == 0


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
    session_id = await asked(chat, model, effects, "a")
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
    session_id = await asked(chat, model, effects, "a")
    model.reply(Silence())
    await chat.send("approve_tool", call_id="call_a", approved=True)
    await chat.until("tool_result")
    start.kill()
    chat = await connect(start.start())
    answer = (await chat.resume(session_id))["messages"][-1]
    assert answer["status"] == "interrupted"
    assert [call["status"] for call in answer["tool_calls"]] == ["finished"]
    assert count(effects) == 1


@pytest.mark.parametrize("fields", [{"call_id": "unknown"}, {"call_id": "call_a"}])
async def test_what_is_not_pending_here_is_refused(
    asking: str, connect: OpenChat, model: Model, effects: Path, fields: Frame
) -> None:
    chat, other = await connect(asking), await connect(asking)
    await asked(chat, model, effects, "a")
    await other.send("approve_tool", approved=True, **fields)  # attached to nothing
    assert (await other.until("error"))[-1]["code"] == "not_allowed"
    await other.new()
    await other.send("approve_tool", approved=True, **fields)  # attached to another one
    assert (await other.until("error"))[-1]["code"] == "not_allowed"
    await other.nothing_more()
    assert count(effects) == 0
