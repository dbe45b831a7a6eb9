"""Old conversations are deleted while the chat is in use, even if the command is killed."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from chat.db.lanes import PATIENCE
from tests.support.client import Chat
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Silence
from tests.support.servers import Model, OpenChat, OwnServer, environment

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[OwnServer]:
    """One server for this file: only the command is killed."""
    data = tmp_path_factory.mktemp("prune") / "data"
    with fresh_database(data) as variables:
        server = OwnServer(data, {**environment(model_server), **variables})
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def chat(server: OwnServer, connect: OpenChat) -> Chat:
    return await connect(server.talos.address)


PRUNE = ("prune_history", "--older-than=90d", "--yes")
SLOWLY = (
    "shell",
    "--no-imports",
    "-c",
    "from chat.upkeep.prune import batches; batches.SHORTEST_PAUSE = 1.0; "
    f"from django.core.management import call_command; call_command{PRUNE}",
)
"""The command with short batches, so that there is time between two of them on every machine."""


def whole(server: OwnServer, *, make: int = 0) -> tuple[int, int]:
    """Create `make` conversations, check that all are whole, and return their number and how many
    prunes deleted."""
    told = server.manage(
        "shell",
        "--no-imports",
        "-c",
        f"from tests.support.histories import make, whole; make({make}); whole()",
    )
    there, deleted = json.loads(told)
    return there, deleted


@pytest.mark.promise(9)
async def test_open_pages_notice_and_conversations_in_use_stay(
    server: OwnServer, chat: Chat, connect: OpenChat, model: Model
) -> None:
    whole(server, make=20)
    address = server.talos.address
    reader, writer = await connect(address), await connect(address)
    finished = await reader.new(model="echo")
    await reader.say("one")
    model.reply("x", Silence())
    writing = await writer.new(model=model.id)
    await writer.send("send", text="go")
    await writer.until("delta")

    command = server.begin("prune_history", "--older-than=0d", "--yes")
    longest = await answers_meanwhile(chat, command)
    out, errors = command.communicate()
    assert (command.returncode, errors) == (0, "")
    assert longest < PATIENCE  # else it would have been refused; `make bench` is exact

    deleted = re.search(r"Deleted ([\d,]+) conversations", out)
    assert deleted is not None
    gone = [await deletion(reader) for _ in range(int(deleted[1].replace(",", "")))]
    assert finished in gone
    assert writing not in gone
    await writer.send("cancel")
    assert (await writer.until("done"))[-1]["status"] == "cancelled"


async def answers_meanwhile(chat: Chat, command: subprocess.Popen[str]) -> float:
    """Send messages until a command ends. Return the longest wait until one was stored."""
    longest = 0.0
    while command.poll() is None:
        await chat.new(model="echo")
        asked = time.monotonic()
        await chat.send("send", text="hi")
        await chat.until("message_created")
        longest = max(longest, time.monotonic() - asked)
        await chat.until("done")
    return longest


async def deletion(chat: Chat) -> str:
    """Return the next deleted conversation."""
    return str((await chat.until("conversation_deleted"))[-1]["data"]["session_id"])


def test_a_signal_stops_it_between_two_batches(server: OwnServer) -> None:
    there, deleted = interrupted(server, signal.SIGTERM, *SLOWLY, number=100)
    assert there > 0
    assert deleted > 0


def test_a_kill_leaves_no_half_conversation(server: OwnServer) -> None:
    interrupted(server, signal.SIGKILL, *PRUNE, number=30)
    server.manage(*PRUNE)
    assert whole(server)[0] == 0


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_twenty_kills(server: OwnServer) -> None:
    for _ in range(20):
        interrupted(server, signal.SIGKILL, *PRUNE, number=40)
    server.manage(*PRUNE)
    assert whole(server)[0] == 0


def interrupted(server: OwnServer, by: signal.Signals, *prune: str, number: int) -> tuple[int, int]:
    """Stop it while it deletes. Return what is left, all whole, and what this run deleted."""
    before, deleted_before = whole(server, make=number)
    with closing(server.database()) as database:
        all_of_them = count(database)
        command = server.begin(*prune)
        # Not the frame of a deletion: a server hears of that up to a second later.
        while count(database) == all_of_them:
            assert command.poll() is None, command.communicate()
            time.sleep(0.001)
    time.sleep(random.uniform(0, 0.2))
    command.send_signal(by)
    _, errors = command.communicate()
    there, deleted_by_now = whole(server)
    deleted = deleted_by_now - deleted_before
    assert there + deleted == before
    if by == signal.SIGTERM:
        assert command.returncode == 128 + by
        assert re.search(f"Stopped. Deleted {deleted} conversations? with", errors), errors
    return there, deleted


def count(database: Any) -> int:
    (row,) = database.execute("SELECT count(*) FROM chat_conversation")
    database.rollback()  # the next count sees what was committed since
    return int(row[0])
