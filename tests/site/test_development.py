"""`make dev`: changes appear at once, and errors show where they are."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import aiohttp
import pytest
from django.conf import settings

from benchmarks import checkouts
from talos_site import bundles
from tests.support.processes import READY, Talos, environment

pytestmark = pytest.mark.anyio
SETTINGS = "talos_site.development"


@pytest.fixture
def address(talos: Talos) -> str:
    return talos.start(DJANGO_SETTINGS_MODULE=SETTINGS)


async def test_scripts_and_styles_are_served_from_their_source_folder(address: str) -> None:
    async with aiohttp.ClientSession(address) as http:
        async with http.get("/") as response:
            page = await response.text()
            assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        names = re.findall(r'(?:src|href)="/static/((?:css|js)/[^"]+)"', page)
        assert names == [*(f"css/{name}.css" for name in bundles.STYLES), "js/main.js"]
        for name in names:
            async with http.get(f"/static/{name}") as response:
                assert await response.read() == (settings.BASE_DIR / "static" / name).read_bytes()
                assert "max-age=0" in response.headers["Cache-Control"]


async def test_an_error_is_shown_by_djangos_own_page(address: str) -> None:
    async with aiohttp.ClientSession(address) as http, http.get("/nowhere/") as response:
        assert response.status == 404
        assert "Using the URLconf defined in" in await response.text()
        assert "Content-Security-Policy" not in response.headers


def test_it_collects_nothing(talos: Talos) -> None:
    talos.start(DJANGO_SETTINGS_MODULE=SETTINGS)
    assert talos.stop() == (0, "Preparing the database…\n")


@pytest.mark.slow
def test_a_changed_file_restarts_the_server(tmp_path: Path) -> None:
    copy = checkouts.copy_working_tree(tmp_path / "copy").root
    (copy / ".venv").symlink_to(settings.BASE_DIR / ".venv")
    running = subprocess.Popen(
        ["make", "dev"],
        cwd=copy,
        env=environment(TALOS_DATA_DIR=str(tmp_path / "data"), PORT="0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    try:
        first = running.stdout.readline()
        (copy / "tools" / "__init__.py").touch()
        second = running.stdout.readline()
    finally:
        os.killpg(running.pid, signal.SIGINT)
        running.communicate()
    assert first.startswith(READY)
    assert second.startswith(READY)
    assert first != second
