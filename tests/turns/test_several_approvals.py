"""Several pending calls of one answer: each runs as soon as it is approved, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import kind, kinds, text, without_gaps
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.servers import Model, OpenChat, OwnServer, environment
from tests.turns.asking import TOOLS
from tests.turns.several import Asked

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def asking(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[OwnServer]:
    """A server with these tools, which no test kills."""
    data = tmp_path_factory.mktemp("approvals") / "data"
    with fresh_database(data) as variables:
        server = OwnServer(data, {**environment(model_server), **variables})
        server.start(TALOS_TOOLS=TOOLS)
        yield server
        server.kill()


@pytest.fixture
async def asked(asking: OwnServer, connect: OpenChat, model: Model, tmp_path: Path) -> Asked:
    return Asked(await connect(asking.talos.address), model, tmp_path)


@pytest.mark.promise(5)
async def test_an_approved_call_runs_while_another_waits(asked: Asked) -> None:
    session_id = await asked.ask("a", "b")
    await asked.decide("b")
    frames = await asked.until("waiting_approval")
    assert [f["data"].get("status", kind(f)) for f in frames] == [
        "approval_resolved", "tool_calling", "tool_result", "waiting_approval",
    ]  # fmt: skip
    assert asked.effects() == ["b"]
    turn = (await asked.chat.resume(session_id))["turn"]
    assert (turn["status"], turn["content"]) == ("waiting_approval", "I will. ")
    assert [call["status"] for call in turn["tool_calls"]] == ["pending", "finished"]
    assert len(asked.model.requests) == 1  # it is asked again once all have results
    asked.model.reply("Done.")
    await asked.decide("a", approved=False)
    frames = await asked.chat.until("done")
    assert text(frames) == "Done."
    told = [m["content"] for m in asked.model.requests[-1].body["messages"] if m["role"] == "tool"]
    assert "denied" in told[0]
    assert told[1] == "Appended b."
    assert asked.effects() == ["b"]
    assert without_gaps(asked.chat.all)
    assert kinds(asked.chat.all).count("done") == 1


@pytest.mark.promise(5)
async def test_a_denied_call_has_its_result_at_once(asked: Asked) -> None:
    await asked.ask("a", "b")
    await asked.decide("a", approved=False)
    frames = await asked.until("waiting_approval")
    assert kinds(frames) == ["approval_resolved", "status", "tool_result", "status"]
    assert len(asked.model.requests) == 1


@pytest.mark.promise(5)
async def test_what_is_decided_while_another_runs_waits_for_nothing(asked: Asked) -> None:
    session_id = await asked.ask("a", "b", "c", "d", held="a")
    await asked.decide("a")
    await asked.runs("a")
    await asked.decide("b")
    assert await asked.result() == ("b", False)
    await asked.decide("c", approved=False)
    assert await asked.result() == ("c", True)
    turn = (await asked.chat.resume(session_id))["turn"]
    assert turn["status"] == "tool_calling"
    assert await asked.statuses(session_id) == ["running", "finished", "denied", "pending"]
    asked.release("a")
    assert await asked.result() == ("a", False)
    await asked.until("waiting_approval")
    asked.model.reply("Done.")
    await asked.decide("d")
    assert text(await asked.chat.until("done")) == "Done."
    assert asked.effects() == ["a", "b", "d"]


@pytest.mark.promise(5)
async def test_the_last_decision_while_another_runs_is_the_last(asked: Asked) -> None:
    await asked.ask("a", "b", held="a")
    asked.model.reply("Done.")
    await asked.decide("a")
    await asked.runs("a")
    await asked.decide("b")
    await asked.result()
    asked.release("a")
    frames = await asked.chat.until("done")
    states = [f["data"]["status"] for f in frames if kind(f) == "status"]
    assert states == ["thinking", "responding"]  # nothing waited meanwhile


@pytest.mark.promise(5, 9)
async def test_a_command_decides_while_another_call_runs(asked: Asked, asking: OwnServer) -> None:
    here = await asked.ask("a", "b", held="a")
    await asked.decide("a")
    await asked.runs("a")
    asked.model.reply("Done.")
    command = ("approvals", "approve", "call_b", "--conversation", here)
    await asyncio.to_thread(asking.manage, *command)
    assert await asked.result() == ("b", False)
    asked.release("a")
    assert text(await asked.chat.until("done")) == "Done."


@pytest.mark.promise(5)
async def test_a_repeated_decision_changes_nothing(asked: Asked) -> None:
    await asked.ask("a", "b", held="a")
    await asked.decide("a")
    await asked.runs("a")
    for _ in range(2):
        await asked.decide("a", approved=False)
        assert (await asked.chat.until("error"))[-1]["code"] == "not_allowed"
    asked.release("a")
    assert await asked.result() == ("a", False)
    assert asked.effects() == ["a"]


@pytest.mark.promise(5)
async def test_what_is_remembered_lets_all_of_that_tool_run(asked: Asked) -> None:
    await asked.ask("a", "b", "c", held="c")
    await asked.decide("a", remember=True)
    frames = await asked.until("waiting_approval")
    assert sorted(f["data"]["call_id"] for f in frames if kind(f) == "tool_result") == [
        "call_a",
        "call_b",
    ]
    assert sorted(asked.effects()) == ["a", "b"]


@pytest.mark.promise(5)
async def test_edited_arguments_are_run_at_once(asked: Asked) -> None:
    await asked.ask("a", "b")
    edited = {"file": str(asked.folder / "effects"), "text": "edited"}
    await asked.decide("a", arguments=edited)
    await asked.until("waiting_approval")
    assert asked.effects() == ["edited"]


@pytest.mark.promise(5, 7)
async def test_a_stop_ends_what_runs_and_what_waits(asked: Asked) -> None:
    session_id = await asked.ask("a", "b", held="a")
    await asked.chat.send("send", text="later", model="echo")
    await asked.chat.until("message_created")
    await asked.decide("a")
    await asked.runs("a")
    await asked.chat.send("cancel")
    assert (await asked.chat.until("done"))[-1]["status"] == "cancelled"
    assert text(await asked.chat.until("done")) == "You said: later"
    answer = (await asked.chat.resume(session_id))["messages"][1]
    assert [call["status"] for call in answer["tool_calls"]] == ["failed", "failed"]
    assert asked.effects() == ["a"]
    await asked.decide("b")
    assert (await asked.chat.until("error"))[-1]["code"] == "not_allowed"


@pytest.mark.promise(7)
async def test_later_sends_stay_behind_it(asked: Asked) -> None:
    """The turn waits again in its place, not at the end of the queue."""
    await asked.ask("a", "b")
    await asked.chat.send("send", text="later", model="echo")
    await asked.chat.until("message_created")
    await asked.decide("a")
    frames = await asked.until("waiting_approval")
    assert "done" not in kinds(frames)
    asked.model.reply("Done.")
    await asked.decide("b")
    assert text(await asked.chat.until("done")) == "Done."
    assert text(await asked.chat.until("done")) == "You said: later"
