"""`GET /healthz` names the part that does not respond, in bounded time."""

from __future__ import annotations

import asyncio
import json
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import psycopg
import pytest
from django.db import connection
from django.test import AsyncClient, Client

from chat.views import health
from tests.support.databases import fresh_database
from tests.support.processes import Talos

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]


async def refuses() -> None:
    raise ConnectionError("postgres://me:hunter2@db refused")


async def hangs() -> None:
    await asyncio.Event().wait()


async def answers() -> None:
    pass


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "SECONDS", 60)


async def test_all_is_well(async_client: AsyncClient) -> None:
    response = await async_client.get("/healthz")
    assert response.status_code == 200
    assert json.loads(response.content) == {"status": "ok"}
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("fault", [refuses, hangs])
@pytest.mark.parametrize(
    ("part", "name"), [("_database", "database"), ("_channel_layer", "channel layer")]
)
async def test_the_failing_part_is_named(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch, part: str, name: str, fault: object
) -> None:
    for each in ("_database", "_channel_layer"):
        monkeypatch.setattr(health, each, fault if each == part else answers)
    monkeypatch.setattr(health, "SECONDS", 0.2)
    async with asyncio.timeout(60):
        response = await async_client.get("/healthz")
    assert response.status_code == 503
    assert json.loads(response.content) == {"status": "unavailable", "failing": name}


async def test_simultaneous_probes_share_one_check(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)

    monkeypatch.setattr(health, "_database", counted)
    monkeypatch.setattr(health, "FRESH", 60)
    answers = await asyncio.gather(*(async_client.get("/healthz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert looks == 1


async def test_a_probe_that_is_cancelled_does_not_stop_the_check(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = asyncio.Event()

    async def waits() -> None:
        await going_on.wait()

    monkeypatch.setattr(health, "_database", waits)
    first, second = (asyncio.create_task(async_client.get("/healthz")) for _ in range(2))
    for _ in range(20):
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    going_on.set()
    assert (await second).status_code == 200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="its lock")
async def test_a_lock_of_another_program_is_noticed(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "SECONDS", 0.5)
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        response = await async_client.get("/healthz")
        assert json.loads(response.content)["failing"] == "database"
        other.execute("ROLLBACK")
    monkeypatch.setattr(health, "FRESH", 0)
    monkeypatch.setattr(health, "SECONDS", 60)
    for _ in range(1000):
        if (await async_client.get("/healthz")).status_code == 200:
            return
        await asyncio.sleep(0.05)
    pytest.fail("It did not notice the end of the lock.")


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="its file")
async def test_a_full_disk_is_noticed(talos: Talos) -> None:
    address = talos.start()
    async with aiohttp.ClientSession() as http:
        assert await failing(http, address) is None
        resource.prlimit(talos.process.pid, resource.RLIMIT_FSIZE, (4096, -1))
        assert await failing(http, address, until="database") == "database"
        resource.prlimit(talos.process.pid, resource.RLIMIT_FSIZE, (-1, -1))
        assert await failing(http, address, until=None) is None
    log = talos.stop()[1]
    assert "healthz: the database does not answer" in log


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "postgresql", reason="its way to be read-only")
async def test_a_read_only_database_is_noticed(talos: Talos, tmp_path: Path) -> None:
    with (
        fresh_database(tmp_path / "data") as variables,
        psycopg.connect(variables["DATABASE_URL"], autocommit=True) as admin,
    ):
        address = talos.start(**variables)
        async with aiohttp.ClientSession() as http:
            assert await failing(http, address) is None
            name = admin.info.dbname
            admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert await failing(http, address, until="database") == "database"
        talos.kill()


async def failing(
    http: aiohttp.ClientSession, address: str, *, until: str | None = "anything"
) -> str | None:
    """Poll /healthz and return what it finally reports."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"{address}/healthz") as response:
                found: str | None = (await response.json()).get("failing")
                assert response.status == (503 if found else 200)
            if until in (found, "anything"):
                return found
            await asyncio.sleep(0.1)


async def test_a_probe_changes_nothing(async_client: AsyncClient) -> None:
    assert (await async_client.post("/healthz")).status_code == 405


def test_it_works_without_an_event_loop_too(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
