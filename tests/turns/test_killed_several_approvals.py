"""Several pending calls of one answer, whose server is killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.client import text
from tests.support.servers import Model, OpenChat, OwnServer
from tests.turns.asking import TOOLS
from tests.turns.several import Asked

pytestmark = pytest.mark.anyio


@pytest.fixture
def mortal(own_server: OwnServer) -> OwnServer:
    own_server.variables["TALOS_TOOLS"] = TOOLS
    own_server.start()
    return own_server


@pytest.mark.promise(5)
async def test_a_model_that_has_gone_holds_up_no_call(
    mortal: OwnServer, connect: OpenChat, model: Model, tmp_path: Path
) -> None:
    """The model is looked up only when it is asked."""
    asked = Asked(await connect(mortal.talos.address), model, tmp_path)
    session_id = await asked.ask("a", "b")
    mortal.kill()
    nobody = "http://127.0.0.1:9/v1"
    address = mortal.start(OPENAI_BASE_URL=nobody, TALOS_DEFAULT_MODEL="demo")
    asked = Asked(await connect(address), model, tmp_path)
    await asked.chat.resume(session_id)
    await asked.decide("a")
    assert await asked.result() == ("a", False)
    await asked.until("waiting_approval")


@pytest.mark.promise(4, 5)
@pytest.mark.parametrize("politely", [False, True])
async def test_killed_while_one_runs_the_other_waits_on(
    mortal: OwnServer, connect: OpenChat, model: Model, tmp_path: Path, politely: bool
) -> None:
    mortal.kill()
    address = mortal.start(TALOS_DRAIN_SECONDS="0")
    asked = Asked(await connect(address), model, tmp_path)
    session_id = await asked.ask("a", "b", "c", held="a")
    await asked.decide("a")
    await asked.runs("a")
    await asked.decide("c")
    await asked.result()
    seen = asked.chat.all[-1]["seq"]
    if politely:
        mortal.talos.process.terminate()
        assert (await asyncio.to_thread(mortal.talos.end))[0] == 0
    else:
        mortal.kill()
    asked = Asked(await connect(mortal.start()), model, tmp_path)
    snapshot = await asked.chat.resume(session_id)
    assert snapshot["turn"]["status"] == "waiting_approval"
    assert snapshot["seq"] == seen + 2  # the call's result, and the waiting turn
    assert await asked.statuses(session_id) == ["unknown", "pending", "finished"]
    model.reply("Done.")
    await asked.decide("b")
    frames = await asked.chat.until("done")
    assert (frames[-1]["status"], text(frames)) == ("completed", "Done.")
    told = [m["content"] for m in model.requests[-1].body["messages"] if m["role"] == "tool"]
    assert "may or may not" in told[0]
    assert asked.effects() == ["a", "c", "b"]


@pytest.mark.promise(4, 5)
async def test_killed_after_it_was_put_back_it_waits_on(
    mortal: OwnServer, connect: OpenChat, model: Model, tmp_path: Path
) -> None:
    asked = Asked(await connect(mortal.talos.address), model, tmp_path)
    session_id = await asked.ask("a", "b")
    await asked.decide("a")
    await asked.until("waiting_approval")
    mortal.kill()
    asked = Asked(await connect(mortal.start()), model, tmp_path)
    assert await asked.statuses(session_id) == ["finished", "pending"]
    model.reply("Done.")
    await asked.decide("b")
    assert text(await asked.chat.until("done")) == "Done."
    assert asked.effects() == ["a", "b"]


@pytest.mark.promise(4, 5)
async def test_killed_right_after_a_decision_it_runs_at_most_once_and_the_other_waits(
    mortal: OwnServer, connect: OpenChat, model: Model, tmp_path: Path
) -> None:
    asked = Asked(await connect(mortal.talos.address), model, tmp_path)
    session_id = await asked.ask("a", "b")
    await asked.decide("a")
    await asked.chat.until("approval_resolved")
    mortal.kill()
    asked = Asked(await connect(mortal.start()), model, tmp_path)
    turn = (await asked.chat.resume(session_id))["turn"]
    if turn["status"] != "waiting_approval":
        await asked.until("waiting_approval")
    a, b = await asked.statuses(session_id)
    assert b == "pending"
    assert (a, len(asked.effects())) in [("finished", 1), ("unknown", 0), ("unknown", 1)]
