"""The threads of pages: few, never held while only waiting, and never blocking each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import include, path

from chat.db import lanes
from chat.db.configuration import CONNECTIONS
from talos_site.server.threads import PAGES, Jobs, Pages

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]
SECONDS = 60
stage: Any = SimpleNamespace()
"""State that the views below share with a test."""


def slow(request: HttpRequest) -> HttpResponse:
    stage.threads.add(threading.current_thread().name)
    stage.entered.release()
    stage.going_on.wait(SECONDS)
    return HttpResponse("slow")


def quick(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("quick")


def dripping(request: HttpRequest) -> StreamingHttpResponse:
    async def drops() -> AsyncIterator[bytes]:
        yield b"first"
        await stage.drained.wait()
        yield b"last"

    return StreamingHttpResponse(drops())


def nesting(request: HttpRequest) -> HttpResponse:
    """A view that waits for work that waits for its thread."""
    name = async_to_sync(sync_to_async(lambda: threading.current_thread().name))()
    return HttpResponse(str(name == threading.current_thread().name))


async def splitting(request: HttpRequest) -> HttpResponse:
    """A view that starts several jobs at once."""
    busy = threading.Lock()

    @sync_to_async
    def alone() -> bool:
        if not busy.acquire(blocking=False):
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        busy.release()
        return True

    return HttpResponse(str(all(await asyncio.gather(*(alone() for _ in range(100))))))


urlpatterns = [
    *(path(view.__name__, view) for view in (slow, quick, dripping, nesting)),
    path("splitting", splitting),
    path("", include("chat.urls")),
]


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    stage.threads, stage.entered = set(), threading.Semaphore(0)
    stage.going_on, stage.drained = threading.Event(), asyncio.Event()
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["here"]):
        made = Pages()
        yield made
        stage.going_on.set()
        made._pages.shutdown()
        made._probe.shutdown()


class Visit:
    """One request."""

    def __init__(self, pages: Pages, address: str) -> None:
        scope = {"type": "http", "method": "GET", "path": address, "headers": [(b"host", b"here")]}
        communicator: Any = ApplicationCommunicator
        self.asgi = communicator(pages, scope | {"query_string": b""})

    async def begin(self) -> int:
        await self.asgi.send_input({"type": "http.request"})
        start = await self.asgi.receive_output(SECONDS)
        return int(start["status"])

    async def rest(self) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await self.asgi.receive_output(SECONDS)
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await self.asgi.wait(SECONDS)
        return bytes(body)


async def get(pages: Pages, address: str) -> tuple[int, bytes]:
    visit = Visit(pages, address)
    return await visit.begin(), await visit.rest()


async def all_held() -> None:
    for _ in range(PAGES):
        assert await asyncio.to_thread(stage.entered.acquire, timeout=SECONDS)


async def test_many_requests_are_answered_by_few_threads(pages: Pages) -> None:
    asked = [asyncio.ensure_future(get(pages, "/slow")) for _ in range(3 * PAGES)]
    await all_held()
    stage.going_on.set()
    assert await asyncio.gather(*asked) == [(200, b"slow")] * len(asked)
    assert len(stage.threads) == PAGES


async def test_a_server_with_all_threads_busy_is_healthy(pages: Pages) -> None:
    asked = [asyncio.ensure_future(get(pages, "/slow")) for _ in range(2 * PAGES)]
    await all_held()
    assert (await get(pages, "/healthz"))[0] == 200
    stage.going_on.set()
    await asyncio.gather(*asked)


async def test_a_download_in_progress_holds_no_thread(pages: Pages) -> None:
    visits = [Visit(pages, "/dripping") for _ in range(2 * PAGES)]
    assert {await visit.begin() for visit in visits} == {200}
    assert (await get(pages, "/quick"))[0] == 200
    stage.drained.set()
    assert {await visit.rest() for visit in visits} == {b"firstlast"}


async def test_a_client_that_leaves_while_waiting_holds_no_thread(pages: Pages) -> None:
    asked = [asyncio.ensure_future(get(pages, "/slow")) for _ in range(PAGES)]
    await all_held()
    leaving = [Visit(pages, "/slow") for _ in range(PAGES)]
    for visit in leaving:
        await visit.asgi.send_input({"type": "http.request"})
        await visit.asgi.send_input({"type": "http.disconnect"})
    stage.going_on.set()
    await asyncio.gather(*asked, *(visit.asgi.wait(SECONDS) for visit in leaving))
    assert (await get(pages, "/quick"))[0] == 200


async def test_a_view_can_wait_for_work_in_its_own_thread(pages: Pages) -> None:
    asked = [get(pages, "/nesting") for _ in range(2 * PAGES)]
    assert set(await asyncio.gather(*asked)) == {(200, b"True")}


async def test_work_for_one_request_never_overlaps(pages: Pages) -> None:
    assert await get(pages, "/splitting") == (200, b"True")


def test_a_cancelled_or_failed_job_blocks_no_other() -> None:
    going_on = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        jobs = Jobs(threads)
        first = jobs.submit(going_on.wait, SECONDS)
        cancelled, failing, last = (jobs.submit(job) for job in (int, lambda: 1 / 0, str))
        assert cancelled.cancel()
        going_on.set()
        assert first.result(SECONDS)
        assert isinstance(failing.exception(SECONDS), ZeroDivisionError)
        assert last.result(SECONDS) == ""


def test_connections_are_kept_on_sqlite_and_closed_on_postgresql() -> None:
    def opened() -> object:
        connection.ensure_connection()
        return connection.connection

    with ThreadPoolExecutor(1) as threads:
        jobs = Jobs(threads)
        made = jobs.submit(opened).result()
        kept = jobs.submit(lambda: connection.connection).result()
        jobs.submit(lambda: connection.close()).result()
    assert kept is (made if connection.vendor == "sqlite" else None)


def test_there_is_a_database_connection_for_every_thread() -> None:
    count = lanes._readers._max_workers + lanes._writer._max_workers
    assert PAGES + count + 1 < CONNECTIONS  # one belongs to the probe
