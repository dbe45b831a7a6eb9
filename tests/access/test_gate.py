"""The gate: Host, Origin and Sec-Fetch-Site over HTTP, Host and Origin over WebSocket."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from pytest_django import DjangoAssertNumQueries, Settings

from chat.access.gate import SocketGate, refusal_reason
from chat.access.owner import local_owner, owner_of
from tests.support.processes import Talos

HERE = "http://127.0.0.1:8000"


@csrf_exempt
def change(request: HttpRequest) -> HttpResponse:
    return HttpResponse("changed")


def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


async def look_later(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await request.auser()).get_username())


urlpatterns = [
    *(path(*named) for named in (("change", change), ("look", look), ("look-later", look_later))),
    path("", include("chat.urls")),  # error pages link to it
]
pytestmark = pytest.mark.urls(__name__)


# --- HTTP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
def test_our_names_are_answered(client: Client, host: str) -> None:
    assert client.post("/change", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a,localhost", "*"])
@pytest.mark.parametrize("target", ["/change", "/static/x.css", "/nowhere"])
def test_a_foreign_host_is_refused_everywhere(client: Client, host: str, target: str) -> None:
    assert client.get(target, headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": HERE}, 200),
        ({"origin": HERE, "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://127.0.0.1:3000"}, 403),
        ({"origin": "https://127.0.0.1:8000"}, 403),
        ({"origin": "http://localhost:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_only_our_own_pages_may_change_something(
    client: Client, headers: dict[str, str], status: int
) -> None:
    headers = {"host": "127.0.0.1:8000", **headers}
    assert client.post("/change", headers=headers).status_code == status
    assert client.get("/change", headers=headers).status_code == 200


def test_a_trusted_origin_may(client: Client, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://chat.example"]
    headers = {"origin": "https://chat.example", "sec-fetch-site": "same-site"}
    assert client.post("/change", headers=headers).status_code == 200


def test_a_form_needs_its_token() -> None:
    headers = {"host": "127.0.0.1:8000", "origin": HERE}
    assert Client(enforce_csrf_checks=True).post("/look", headers=headers).status_code == 403


# --- who ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_everybody_is_the_owner(client: Client) -> None:
    assert client.get("/look").content == b"owner"


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_everybody_is_the_owner_in_an_async_view(async_client: AsyncClient) -> None:
    assert (await async_client.get("/look-later")).content == b"owner"


@pytest.mark.django_db
def test_nothing_is_read_until_a_view_looks(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.post("/change")


@pytest.mark.django_db
def test_the_owner_is_made_once_and_is_the_admin() -> None:
    owner = local_owner()
    assert owner == local_owner()
    assert owner.is_staff
    assert owner.is_superuser
    assert not owner.has_usable_password()


@pytest.mark.anyio
async def test_a_connection_that_has_its_user_asks_nobody() -> None:
    user = User(username="somebody")
    assert await owner_of({"user": user}) is user


# --- WebSocket ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ([("host", "127.0.0.1:8000"), ("origin", HERE)], True),
        ([("host", "127.0.0.1:8000"), ("origin", HERE), ("cookie", "a=b")], True),
        ([("host", "localhost"), ("origin", "http://localhost")], True),
        ([("host", "localhost"), ("origin", "http://localhost:80")], True),
        ([("host", "[::1]:8000"), ("origin", "http://[::1]:8000")], True),
        ([("host", "127.0.0.1:8000")], True),
        ([("host", "127.0.0.1:8000"), ("cookie", "a=b")], False),
        ([("host", "127.0.0.1:8000"), ("sec-fetch-site", "none")], False),
        ([("host", "127.0.0.1:8000"), ("sec-fetch-mode", "websocket")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "http://127.0.0.1:3000")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "http://127.0.0.1")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "https://127.0.0.1:8000")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "ftp://127.0.0.1:8000")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "http://localhost:8000")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "http://me@127.0.0.1:8000")], False),
        ([("host", "127.0.0.1:8000"), ("origin", f"{HERE}/")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "http://127.0.0.1:x")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "null")], False),
        ([("host", "127.0.0.1:8000"), ("origin", "")], False),
        ([("host", "127.0.0.1:8000"), ("origin", HERE), ("origin", "http://evil.example")], False),
        ([("host", "evil.example"), ("origin", "http://evil.example")], False),
        ([("host", "evil.example")], False),
        ([("host", "localhost"), ("host", "evil.example")], False),
        ([("origin", HERE)], False),
        ([], False),
    ],
)
def test_a_socket_is_admitted_by_its_origin(headers: list[tuple[str, str]], let_in: bool) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    assert (refusal_reason({"type": "websocket", "headers": raw}) is None) is let_in


def test_a_socket_over_tls_has_an_https_origin() -> None:
    headers = [(b"host", b"localhost"), (b"origin", b"https://localhost")]
    assert refusal_reason({"scheme": "wss", "headers": headers}) is None


@pytest.mark.anyio
async def test_a_refused_socket_is_closed_before_it_is_accepted() -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def application(*_: object) -> None:
        raise AssertionError("got in")

    await SocketGate(application)({"type": "websocket", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close"}]


@pytest.mark.anyio
async def test_a_real_server_asks_too(talos: Talos) -> None:
    address = talos.start()
    port = address.rsplit(":", 1)[1]
    refused = [
        ("/api/chat/ws", {"Origin": "http://127.0.0.1:3000"}),
        ("/api/chat/ws", {"Host": f"evil.example:{port}"}),
        ("/api/chat/ws", {"Cookie": "a=b"}),
        ("/elsewhere", {"Origin": address}),
    ]
    async with aiohttp.ClientSession() as http:
        for target, headers in refused:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await http.ws_connect(address + target, headers=headers)
            assert refusal.value.status == 403
        async with http.ws_connect(f"{address}/api/chat/ws", headers={"Origin": address}):
            pass
        async with http.ws_connect(f"{address}/api/chat/ws"):
            pass
    status, errors = talos.stop()
    assert status == 0
    assert "Traceback" not in errors


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["variable", "option"])
async def test_every_loopback_address_answers_under_its_own_name(talos: Talos, how: str) -> None:
    host = "127.0.0.2"
    address = talos.start(HOST=host) if how == "variable" else talos.start("--host", host)
    assert host in address
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{address}/") as page:
            assert page.status == 200
        async with http.ws_connect(f"{address}/api/chat/ws", headers={"Origin": address}):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(f"{address}/api/chat/ws", headers={"Origin": HERE})
        async with http.get(f"{address}/", headers={"Host": "127.0.0.3"}) as foreign:
            assert foreign.status == 400
