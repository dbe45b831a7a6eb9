"""Promises 1, 2 and 6 while the wall clock jumps by days, forwards and back, in mid-answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.client import Chat, kind, text, without_gaps
from tests.support.model_server.steps import Gate
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio
DAY = 86_400
CHECKED_WITHIN = 2.2
"""Seconds. Daphne checks for old connections every two."""


@pytest.mark.promise(1, 2, 7)
@pytest.mark.parametrize("days", [(3, -3)])
async def test_a_clock_that_jumps_closes_nothing_and_ends_nothing(
    own_server: OwnServer, connect: OpenChat, model: Model, tmp_path: Path, days: tuple[int, ...]
) -> None:
    clock = tmp_path / "clock"
    own_server.talos.command = ("-m", "tests.support.altered_server", f"clock={clock}")
    address = own_server.start(TALOS_SENDS_PER_MINUTE="2")
    idle, chat = await connect(address), await connect(address)
    gates = [Gate() for _ in days]
    model.reply("begin ", *(step for gate in gates for step in (gate, "on ")))
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    for jump, gate in zip(days, gates, strict=True):
        (tmp_path / "next").write_text(str(jump * DAY))
        (tmp_path / "next").replace(clock)  # the server may read it at any moment
        await asyncio.sleep(CHECKED_WITHIN)
        gate.open()
        await chat.until("delta")
    await chat.until("done")
    assert text(chat.all) == "begin on on "
    assert without_gaps(chat.all)
    await is_alive(idle)
    snapshot = await idle.resume(chat.session_id)
    assert [m["role"] for m in snapshot["messages"]] == ["user", "assistant"]
    # messages of a future minute do not count for this one
    assert (await chat.say("again", model="echo"))[-1]["status"] == "completed"


async def is_alive(chat: Chat) -> None:
    await chat.nothing_more("title", "conversation_changed")
    assert not [frame for frame in chat.all if kind(frame) == "done"]
