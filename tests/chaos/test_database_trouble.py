"""Promises 1, 3 and 7 while SQLite cannot be written: locked, full, or on a disk with errors.

Nothing is sent that is not stored, a send waits or is refused with a reason, reading continues, no
socket is closed, and the server recovers without help.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.chaos.answers import paced, say_until_it_works, words
from tests.chaos.sizes import long, sizes
from tests.support.client import Chat, Frame, kind, text, without_gaps
from tests.support.model_server.steps import Gate, Silence
from tests.support.servers import Model, OpenChat, OwnServer

Trouble = Callable[[Path], AbstractContextManager[None]]
COUNT = 100

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite only"),
]


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    with closing(sqlite3.connect(data / "talos.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(data: Path) -> Iterator[None]:
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (64 * 1024, 1024, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    yield
    filler.unlink()


@contextmanager
def unwritable(data: Path) -> Iterator[None]:
    """Every write fails with a disk error, as on a disk that the system has made read-only."""
    # Not the -shm file, which is memory: a failed write there is a signal, not an error.
    files = [str(data / name) for name in ("talos.sqlite3", "talos.sqlite3-wal")]
    try:
        subprocess.run(["chattr", "+i", *files], check=True)
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=True)


def can_be_immutable(probe: Path) -> bool:
    probe.touch()
    if shutil.which("chattr") is None:
        return False
    tried = [
        subprocess.run(["chattr", flag, str(probe)], check=False, capture_output=True).returncode
        for flag in ("+i", "-i")
    ]
    return tried == [0, 0]


@pytest.fixture
def small_disk(own_server: OwnServer, tmp_path: Path) -> Iterator[None]:
    """The data directory is a file system of 8 MiB."""
    data = tmp_path / "small"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "talos", str(data)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    shutil.copytree(own_server.talos.data, data, dirs_exist_ok=True)
    own_server.talos.data = data
    yield
    own_server.kill()
    subprocess.run(["umount", str(data)], check=True)


async def endure(
    own_server: OwnServer, connect: OpenChat, model: Model, trouble: Trouble, seconds: float
) -> list[str]:
    """Run through trouble in mid-answer. Returns the response to a send meanwhile."""
    last = Gate()  # the answer must not end before the trouble begins
    model.reply(*paced(COUNT - 1, every=0.01), last, words(COUNT)[-1])
    address = own_server.start()
    chat, other, reader = [await connect(address) for _ in range(3)]
    for page in (chat, other):
        page.patience += seconds
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    began = time.monotonic()
    with trouble(own_server.talos.data):
        since = time.monotonic()
        await asyncio.sleep(0.1)
        told = text(chat.all)
        sending = asyncio.create_task(say_until_it_works(other, "x" * 50_000, model="echo"))
        snapshot = await reader.resume(chat.session_id)
        assert snapshot["turn"]["content"].startswith(told)
        await reader.nothing_more("status")
        assert time.monotonic() - since < 4  # a write waits for five seconds
        last.open()
        await asyncio.sleep(seconds)
        assert not sending.done()
    lasted = time.monotonic() - began
    frames, _ = await sending
    assert text(frames) == "You said: " + "x" * 50_000
    await chat.until("done")
    assert text(chat.all) == "".join(words(COUNT))
    assert without_gaps(chat.all)
    (answer,) = (await reader.resume(chat.session_id))["messages"][1:]
    assert (answer["content"], answer["status"]) == (text(chat.all), "completed")
    status, log = own_server.talos.stop()
    assert status == 0
    assert "Traceback" not in log, log
    assert log.count("Answers can be stored again.") <= 1  # logged once, however often it was tried
    assert_explained_once(chat.all, seconds, lasted)
    return [frame["content"] for frame in other.all if kind(frame) == "error"]


def assert_explained_once(frames: list[Frame], seconds: float, lasted: float) -> None:
    """Assert that trouble is explained at most once: over six seconds always, under three never."""
    explained = [frame["content"] for frame in frames if kind(frame) == "error"]
    assert len(explained) <= 1
    assert explained or seconds <= 6
    assert not explained or lasted > 3
    assert all("as soon as it can be stored" in words for words in explained)


@pytest.mark.promise(1, 3)
@sizes("seconds", sample=2, full=30)
async def test_locked_by_another_program(
    own_server: OwnServer, connect: OpenChat, model: Model, seconds: float
) -> None:
    refusals = await endure(own_server, connect, model, locked, seconds)
    assert len(refusals) >= seconds // 6
    assert all("database is busy" in words for words in refusals)


@pytest.mark.promise(1, 3)
@sizes("seconds", sample=1.5, full=30)
async def test_a_full_disk(
    own_server: OwnServer, connect: OpenChat, model: Model, small_disk: None, seconds: float
) -> None:
    refusals = await endure(own_server, connect, model, full, seconds)
    assert refusals
    assert all("disk of the server is full" in words for words in refusals)


@pytest.mark.promise(1, 3)
@sizes("seconds", sample=1.5, full=30)
async def test_a_disk_with_errors(
    own_server: OwnServer, connect: OpenChat, model: Model, tmp_path: Path, seconds: float
) -> None:
    if not can_be_immutable(tmp_path / "probe"):
        pytest.skip("this user cannot make files immutable here, with chattr")
    refusals = await endure(own_server, connect, model, unwritable, seconds)
    assert refusals
    assert all("its disk reports an error" in words for words in refusals)


@pytest.mark.promise(1)
@long
async def test_twenty_who_send_to_a_locked_database_wait_for_their_answer_side_by_side(
    own_server: OwnServer, connect: OpenChat
) -> None:
    address = own_server.start()
    chats = [await connect(address) for _ in range(20)]
    with locked(own_server.talos.data):
        since = time.monotonic()
        ends = await asyncio.gather(*(chat.say("hi", model="echo") for chat in chats))
        assert time.monotonic() - since < 12
    assert {frames[-1]["status"] for frames in ends} == {"failed"}
    assert (await chats[0].say("hi", model="echo"))[-1]["status"] == "completed"


@pytest.mark.promise(6)
@long
async def test_a_server_stops_in_time_while_the_database_is_locked(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply("seen ", Silence())
    address = own_server.start(TALOS_DRAIN_SECONDS="0")
    chat = await connect(address)
    others = [await connect(address) for _ in range(10)]
    await chat.send("send", text="go", model=model.id)
    await chat.until("delta")
    with locked(own_server.talos.data):
        for other in others:
            await other.send("send", text="never stored", model="echo")
        own_server.talos.process.terminate()
        with pytest.raises(ConnectionError, match="1012"):
            await chat.until("done")
        assert await asyncio.to_thread(own_server.talos.end)
    chat2: Chat = await connect(own_server.start())
    answer = (await chat2.resume(chat.session_id))["messages"][-1]
    assert (answer["content"], answer["status"]) == ("seen ", "interrupted")
