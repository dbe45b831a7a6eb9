"""The turns of a server that was killed before the update: promises 4 and 5 of docs/protocol.md."""

from __future__ import annotations

import pytest

from tests.support.client import Frame, kind, text
from tests.upgrades.conftest import LATER, Served
from tests.upgrades.kept import archive, conversations
from tests.upgrades.reading import opened, settled
from tests.upgrades.rows.talk import MODEL, key

pytestmark = [pytest.mark.anyio, pytest.mark.promise(4, 5)]


async def now(served: Served, name: str) -> list[Frame]:
    """Return the messages of a conversation once it is at rest."""
    snapshot = await settled(served.address, str(key(name)))
    return list(snapshot["messages"])


async def test_the_visible_part_of_the_live_answer_is_kept(served: Served) -> None:
    before = conversations(archive(served.upgraded.version))[str(key("seen"))]
    _, answer, *_ = await now(served, "seen")
    assert answer["status"] == "interrupted"
    assert answer["content"] == before["messages"][1]["content"] == "What was seen of it is kept"
    assert answer["reasoning"] == before["messages"][1]["reasoning"] == "They want much."


@pytest.mark.promise(4, 7)
async def test_the_queued_message_is_answered_and_frame_numbers_continue(served: Served) -> None:
    messages = await now(served, "seen")
    assert [message["content"] for message in messages[2:4]] == ["And then?", LATER]
    assert messages[3]["status"] == "completed"
    snapshot = await settled(served.address, str(key("seen")))
    assert snapshot["seq"] > 107, "six frames were seen, and its done came"


async def test_a_turn_that_had_shown_nothing_runs_again(served: Served) -> None:
    assert (await now(served, "unseen"))[1]["content"] == LATER


async def test_a_turn_that_was_being_stopped_is_stopped(served: Served) -> None:
    _, answer = await now(served, "being-stopped")
    assert (answer["status"], answer["content"]) == ("cancelled", "1, 2, 3")


async def test_a_turn_that_had_not_begun_is_answered(served: Served) -> None:
    assert (await now(served, "not-begun"))[1]["content"] == LATER


async def test_a_call_that_was_running_is_unknown_and_not_run_again(served: Served) -> None:
    _, answer, *_ = await now(served, "running-call")
    assert answer["status"] == "interrupted"
    assert [call["status"] for call in answer["tool_calls"]] == ["unknown"]
    assert not (served.upgraded.data / "workspace" / "n.md").exists()
    async with opened(served.address) as chat:
        await chat.resume(str(key("running-call")))
        assert text(await chat.say("Go on", model=MODEL)) == LATER


async def test_a_sum_that_was_running_is_run_again(served: Served) -> None:
    _, answer = await now(served, "running-sum")
    assert [(call["status"], call["content"]) for call in answer["tool_calls"]] == [
        ("finished", "42")
    ]
    assert answer["content"].split() == f"At once. {LATER}".split()


async def test_a_decided_call_is_run(served: Served) -> None:
    _, answer = await now(served, "decided")
    assert answer["status"] == "completed"
    assert [call["status"] for call in answer["tool_calls"]] == ["finished", "denied"]
    workspace = served.upgraded.data / "workspace"
    assert (workspace / "approved.md").read_text() == "approved"
    assert not (workspace / "denied.md").exists()


async def test_an_approval_still_waits_and_can_be_given(served: Served) -> None:
    async with opened(served.address) as chat:
        snapshot = await chat.resume(str(key("waiting")))
        turn = snapshot["turn"]
        assert (turn["status"], turn["content"], turn["queued"]) == (
            "waiting_approval",
            "Two notes. ",
            1,
        )
        assert [call["status"] for call in turn["tool_calls"]] == ["pending", "pending"]
        one, two = (call["call_id"] for call in turn["tool_calls"])
        await chat.send("approve_tool", call_id=one, approved=True)
        await chat.send("approve_tool", call_id=two, approved=False)
        frames = await chat.until("done")
    results = [frame["data"] for frame in frames if kind(frame) == "tool_result"]
    assert {(result["call_id"], result["is_error"]) for result in results} == {
        (one, False),
        (two, True),
    }
    assert (served.upgraded.data / "workspace" / "one.md").read_text() == "one"
    messages = await now(served, "waiting")
    assert [message["status"] for message in messages[1::2]] == ["completed", "completed"]
    assert [message["content"] for message in messages[2:]] == ["Thanks!", LATER]
