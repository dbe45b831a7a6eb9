"""`manage.py serve`, as a person starts and stops it."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from tests.support.processes import SECONDS, Talos, begin, manage

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_it_creates_its_database_and_answers(talos: Talos) -> None:
    address = talos.start()
    async with aiohttp.ClientSession() as http, http.get(f"{address}/healthz") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ok"}
    database = sqlite3.connect(talos.data / "talos.sqlite3")
    assert database.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0
    database.close()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_shuts_it_down_cleanly(talos: Talos, signum: signal.Signals) -> None:
    talos.start()
    talos.process.send_signal(signum)
    assert talos.end() == (0, "Preparing the database…\n")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_startup_ends_it_with_one_line(
    tmp_path: Path, collected: None, signum: signal.Signals
) -> None:
    starting = begin("serve", TALOS_DATA_DIR=str(tmp_path), PORT="0")
    assert starting.stderr is not None
    said = starting.stderr.readline()
    for _ in range(2):
        starting.send_signal(signum)
    output, errors = starting.communicate(timeout=SECONDS)
    assert said == "Preparing the database…\n"
    assert (starting.returncode, output, errors) == (
        128 + signum,
        "",
        "Stopped before it was ready.\n",
    )


def test_a_second_start_migrates_nothing(talos: Talos) -> None:
    talos.start()
    talos.stop()
    talos.start()
    assert talos.stop() == (0, "")


def test_options_come_before_the_environment(talos: Talos, taken: int) -> None:
    address = talos.start("--port", "0", "--host", "localhost", PORT=str(taken))
    assert not address.endswith(f":{taken}")


def test_a_port_in_use_is_explained(tmp_path: Path, collected: None, taken: int) -> None:
    done = manage("serve", TALOS_DATA_DIR=str(tmp_path), PORT=str(taken))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{taken}" in done.stderr
    assert "PORT=" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "talos.sqlite3").exists()


def test_a_second_server_on_the_same_data_is_refused(talos: Talos) -> None:
    talos.start()
    done = manage("serve", TALOS_DATA_DIR=str(talos.data), PORT="0")
    assert done.returncode == 1
    assert str(talos.data) in done.stderr
    assert "Traceback" not in done.stderr


def migrations(data: Path, statement: str) -> list[tuple[str]]:
    with closing(sqlite3.connect(data / "talos.sqlite3")) as database, database:
        database.execute(statement)
        found = "SELECT name FROM django_migrations WHERE app = 'chat' ORDER BY name"
        return database.execute(found).fetchall()


def test_an_update_refuses_to_start_beside_a_running_server(talos: Talos) -> None:
    talos.start()
    before = migrations(talos.data, "DELETE FROM django_migrations WHERE name = '0008_speed'")
    done = manage("serve", TALOS_DATA_DIR=str(talos.data), PORT="0")
    assert "Another Talos server uses" in done.stderr
    assert "Preparing the database" not in done.stderr
    assert migrations(talos.data, "SELECT 1") == before


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path, collected: None) -> None:
    assert manage("migrate", TALOS_DATA_DIR=str(tmp_path)).returncode == 0
    migrations(
        tmp_path, "INSERT INTO django_migrations VALUES (999, 'chat', '0999_future', '2030-01-01')"
    )
    done = manage("serve", TALOS_DATA_DIR=str(tmp_path), PORT="0")
    assert done.returncode == 1
    assert "newer version of Talos: this one does not know chat.0999_future" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_start_keeps_the_record_of_the_running_server(
    tmp_path: Path, collected: None
) -> None:
    """On PostgreSQL, the next server frees its turns at once."""
    (tmp_path / "talos.lock").write_text("the server before")
    nowhere = "postgres://nobody@127.0.0.1:1/talos"
    done = manage("serve", TALOS_DATA_DIR=str(tmp_path), PORT="0", DATABASE_URL=nowhere)
    assert "The database cannot be used" in done.stderr
    assert (tmp_path / "talos.lock").read_text() == "the server before"


def test_options_cannot_expose_it_without_a_login(tmp_path: Path) -> None:
    done = manage("serve", "--host", "0.0.0.0", TALOS_DATA_DIR=str(tmp_path))  # noqa: S104  # refused
    assert done.returncode == 1
    assert "requires no login" in done.stderr


def test_an_unusable_database_is_explained(tmp_path: Path, collected: None) -> None:
    (tmp_path / "talos.sqlite3").mkdir()
    done = manage("serve", TALOS_DATA_DIR=str(tmp_path), PORT="0")
    assert done.returncode == 1
    assert "The database cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
