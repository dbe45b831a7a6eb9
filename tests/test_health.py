"""`GET /healthz` names the part that does not answer, in bounded time."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.test import AsyncClient, Client

from chat import health

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


async def test_asking_changes_nothing(async_client: AsyncClient) -> None:
    assert (await async_client.post("/healthz")).status_code == 405


def test_it_works_without_an_event_loop_too(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
