"""Talos serves static files itself, hashed and compressed, and collects stale ones at start."""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path

import aiohttp
import pytest
from django.core.management import CommandError
from pytest_django import Settings

from talos_site import static_files
from talos_site.management.commands.serve import Command
from tests.support.processes import Talos


@pytest.mark.anyio
async def test_a_hashed_file_is_compressed_and_cached_forever(talos: Talos) -> None:
    address = talos.start()
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{address}/admin/") as page:
            found = re.search(r"/static/admin/css/base\.[0-9a-f]{12}\.css", await page.text())
        assert found, "the page names no hashed file"
        async with http.get(address + found[0], headers={"Accept-Encoding": "gzip"}) as file:
            assert file.status == 200
            assert file.headers["Content-Encoding"] == "gzip"
            assert file.headers["Content-Type"].startswith("text/css")
            assert "immutable" in file.headers["Cache-Control"]
            assert "body" in await file.text()
            etag = file.headers.get("ETag") or file.headers["Last-Modified"]
        name = "If-None-Match" if etag.startswith('"') else "If-Modified-Since"
        async with http.get(address + found[0], headers={name: etag}) as again:
            assert again.status == 304
    assert talos.stop()[1] == "Preparing the database…\n"


@pytest.fixture
def site(settings: Settings, tmp_path: Path) -> Path:
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    settings.STATIC_ROOT = tmp_path / "collected"
    for path, time in (("static/page.js", 100), ("collected/staticfiles.json", 200)):
        file = tmp_path / path
        file.parent.mkdir()
        file.touch()
        os.utime(file, (time, time))
        os.utime(file.parent, (time, time))
    return tmp_path


def test_collected_files_are_complete(site: Path) -> None:
    assert static_files.find_outdated() is None


@pytest.mark.usefixtures("site")
def test_the_server_collects_outdated_files(settings: Settings) -> None:
    Path(settings.STATIC_ROOT, "staticfiles.json").unlink()
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "talos_site.static_files.Storage"},
    }
    Command(stderr=StringIO())._collect()
    assert static_files.find_outdated() is None
    assert list(Path(settings.STATIC_ROOT).glob("page.*.js"))


@pytest.mark.usefixtures("site")
def test_an_unwritable_folder_is_named(settings: Settings) -> None:
    settings.STATIC_ROOT = "/proc/nowhere"
    with pytest.raises(CommandError, match=r"/proc/nowhere.*collectstatic"):
        Command(stderr=StringIO())._collect()


def test_uncollected_files_are_reported_missing(site: Path) -> None:
    (site / "collected/staticfiles.json").unlink()
    assert "not collected" in (static_files.find_outdated() or "")


@pytest.mark.parametrize("path", ["static/page.js", "static"])
def test_changed_added_and_removed_files_are_noticed(site: Path, path: str) -> None:
    os.utime(site / path, (300, 300))
    assert "changed" in (static_files.find_outdated() or "")
