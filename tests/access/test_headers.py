"""The security headers are on every response: pages, errors, static files and the admin."""

from __future__ import annotations

import aiohttp
import pytest
from django.test import Client

from chat.access.headers import POLICY
from tests.support.processes import Talos

EXPECTED = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in POLICY
    assert "script-src 'self'" in POLICY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("/admin/", "localhost", 200),
        ("/admin/auth/user/", "localhost", 200),
        ("/nowhere", "localhost", 404),
        ("/healthz", "evil.example", 400),
    ],
)
def test_they_are_on_pages_and_errors(client: Client, target: str, host: str, status: int) -> None:
    response = client.get(target, headers={"host": host})
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED


@pytest.mark.anyio
async def test_they_are_on_all_that_a_real_server_sends(talos: Talos) -> None:
    address = talos.start()
    statuses = {
        "/healthz": 200,
        "/admin/": 200,
        "/static/admin/css/base.css": 200,
        "/static/nowhere.css": 404,
        "/nowhere": 404,
    }
    async with aiohttp.ClientSession() as http:
        for target, status in statuses.items():
            async with http.get(address + target) as response:
                assert response.status == status
                assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED
                assert "Server" not in response.headers
                assert "Access-Control-Allow-Origin" not in response.headers
