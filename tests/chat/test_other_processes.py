"""What a command writes is heard by every open page within two seconds."""

from __future__ import annotations

import time

import pytest

from tests.chat.client import kind
from tests.chat.conftest import Model, OpenChat, OwnServer
from tests.model_server.steps import Silence

pytestmark = pytest.mark.anyio
OWNER = "from chat import services, access; owner = access.local_owner(); "


async def test_a_deletion_stops_the_turn_and_reaches_every_tab(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = own_server.start()
    chat, elsewhere = await connect(address), await connect(address)
    model.reply("x", Silence())
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    await chat.until("delta")
    own_server.manage(
        "shell", "--no-imports", "-c", OWNER + f"services.delete(owner, '{session_id}')"
    )
    since = time.monotonic()
    for page in (chat, elsewhere):
        gone = (await page.until("conversation_deleted"))[-1]
        assert gone["data"] == {"session_id": session_id}
    assert await (await model.request()).closed() - since < 2
    await chat.send("resume_session", session_id=session_id)
    assert (await chat.until("error"))[-1]["code"] == "session_not_found"


async def test_a_queued_turn_is_taken(own_server: OwnServer, connect: OpenChat) -> None:
    chat = await connect(own_server.start())
    session_id = await chat.new(model="echo")
    own_server.manage(
        "shell", "--no-imports", "-c",
        OWNER + f"services.say(owner, conversation_id='{session_id}', text='hi', default_model='x')",
    )  # fmt: skip
    since = time.monotonic()
    frames = await chat.until("done")
    assert time.monotonic() - since < 2
    assert "message_created" in [kind(frame) for frame in frames]
    assert frames[-1]["status"] == "completed"


async def test_a_second_server_on_the_same_directory_is_refused(own_server: OwnServer) -> None:
    from tests.processes import Talos

    own_server.start()
    if "DATABASE_URL" in own_server.variables:
        pytest.skip("on PostgreSQL several servers may share a directory")
    second = Talos(own_server.talos.data)
    with pytest.raises(AssertionError, match="Another Talos server uses"):
        second.start(**own_server.variables)
    second.kill()
