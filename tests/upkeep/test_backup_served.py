"""Backups made while a server answers can be restored elsewhere; kills leave a whole file or none."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.client import text
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Silence
from tests.support.processes import Talos, begin, manage
from tests.support.servers import Model, OpenChat, OwnServer, environment

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    pytest.skip("SQLite only", allow_module_level=True)


async def test_a_round_trip_beside_a_running_server(
    own_server: OwnServer,
    connect: OpenChat,
    model: Model,
    model_server: ModelServer,
    tmp_path: Path,
) -> None:
    talking = await connect(own_server.start())
    said = await talking.new(model="echo")
    first = await talking.say("before the backup")
    writing = await connect(own_server.talos.address)
    half = await writing.new(model=model.id)
    model.reply("half an answer", Silence())
    await writing.send("send", text="go")
    await writing.until("delta")
    own_server.manage("backup", str(tmp_path / "b"))
    await talking.say("after the backup")

    manage("restore", str(tmp_path / "b"), TALOS_DATA_DIR=str(tmp_path / "new"))
    second = Talos(tmp_path / "new")
    try:
        again = await connect(second.start(**environment(model_server)))
        kept = await again.resume(said, context="full")
        assert [m["content"] for m in kept["messages"]] == ["before the backup", text(first)]
        cut_off = await again.resume(half)
        assert cut_off["messages"][-1]["content"] == "half an answer"
        assert cut_off["messages"][-1]["status"] == "interrupted"
        assert (await again.say("and on", model="echo"))[-1]["status"] == "completed"
    finally:
        second.kill()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory with some megabytes to copy."""
    directory = tmp_path_factory.mktemp("source") / "data"
    make = "from tests.support.histories import make; make(200)"
    with fresh_database(directory):
        done = manage("shell", "--no-imports", "-c", make, TALOS_DATA_DIR=str(directory))
        assert done.returncode == 0, done.stderr
        (directory / "workspace").mkdir()
        (directory / "workspace" / "large").write_bytes(b"x" * 20_000_000)
        yield directory


def test_killed_backups_and_restores_leave_all_or_nothing(source: Path, tmp_path: Path) -> None:
    kill_at_random(source, tmp_path, times=1)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_twenty_killed_backups_and_restores(source: Path, tmp_path: Path) -> None:
    kill_at_random(source, tmp_path, times=20)


def kill_at_random(source: Path, folder: Path, *, times: int) -> None:
    """Kill both while they write: a file with its final name is whole, and the next run completes."""
    for number in range(times):
        target, new = folder / f"b{number}", folder / f"new{number}"
        database = new / "talos.sqlite3"

        def save(target: Path = target) -> subprocess.Popen[str]:
            return begin("backup", str(target), TALOS_DATA_DIR=str(source))

        def restore(target: Path = target, new: Path = new) -> subprocess.Popen[str]:
            return begin("restore", str(target), TALOS_DATA_DIR=str(new))

        killed(save, target.with_name(f".{target.name}.part"))
        assert not target.exists() or is_whole(target)
        if not target.exists():
            completed(save)
        assert is_whole(target)
        assert list(folder.glob(".*.part")) == []

        killed(restore, database.with_name(".talos.sqlite3.part"))
        assert not database.exists() or is_whole(database)
        if not database.exists():
            completed(restore)
        assert is_whole(database)
        assert (new / "workspace" / "large").stat().st_size == 20_000_000
        assert list(new.rglob(".*.part")) == []


def killed(start: Callable[[], subprocess.Popen[str]], draft: Path) -> None:
    """Kill it at a random moment after it has begun to write."""
    command = start()
    while command.poll() is None and not draft.exists():
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.3))
    command.kill()
    command.communicate()


def completed(start: Callable[[], subprocess.Popen[str]]) -> None:
    _, errors = (command := start()).communicate()
    assert command.returncode == 0, errors


def is_whole(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as database:
        (messages,) = database.execute("SELECT count(*) FROM chat_message").fetchone()
        return messages == 800 and database.execute("PRAGMA integrity_check").fetchall() == [
            ("ok",)
        ]
