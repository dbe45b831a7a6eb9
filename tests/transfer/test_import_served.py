"""Imports on the page of a real server outlive their request and the server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp
import pytest

from tests.support.processes import SECONDS, Talos
from tests.transfer.samples import LONG, line, long_one

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Browser:
    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http, self._address = http, address.rstrip("/")

    async def get(self, path: str) -> str:
        headers = {"Accept": "text/html"}
        async with self._http.get(self._address + path, headers=headers) as answer:
            return await answer.text()

    async def post(self, path: str, **fields: bytes) -> aiohttp.ClientResponse:
        page = await self.get("/import/")
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
        form = aiohttp.FormData({"csrfmiddlewaretoken": token})
        for name, data in fields.items():
            form.add_field(name, BytesIO(data), filename="long.jsonl")
        headers = {"Origin": self._address}
        return await self._http.post(
            self._address + path, data=form, headers=headers, allow_redirects=not fields
        )

    async def begin(self, archive: bytes) -> str:
        """Return the path of the import's page."""
        return (await self.post("/import/", file=archive)).headers["Location"]

    async def until(self, path: str, is_so: Callable[[str], bool]) -> str:
        async with asyncio.timeout(SECONDS):
            while not is_so(page := await self.get(path)):  # noqa: ASYNC110  # a page is asked
                await asyncio.sleep(0.05)
        return page


@asynccontextmanager
async def browser(address: str) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Browser(http, address)


def is_over(page: str) -> bool:
    return "1 imported" in page


async def test_an_import_continues_after_the_server_is_killed(talos: Talos) -> None:
    async with browser(talos.start()) as here:
        path = await here.begin(line(long_one(4000)))
        await here.until(path, lambda page: "Importing:" in page)
        assert LONG not in await here.get("/chats/")
    talos.kill()
    async with browser(talos.start()) as here:
        page = await here.until(path, is_over)
        assert "1 imported" in page
        assert "here already" not in page
        assert LONG in await here.get("/chats/")
    assert talos.stop()[0] == 0


async def test_a_script_is_answered_when_the_import_is_done(talos: Talos) -> None:
    async with browser(talos.start()) as here:
        path = await here.begin(line(long_one(2000)))
        async with here._http.get(here._address + path) as answer:
            assert "1 imported" in await answer.text()


async def test_an_import_is_stopped_on_its_page(talos: Talos) -> None:
    async with browser(talos.start()) as here:
        path = await here.begin(line(long_one(20_000)))
        await here.until(path, lambda page: "Importing:" in page)
        await here.post(f"{path}cancel/")
        page = await here.until(path, lambda page: "Stopped." in page)
        assert "0 imported" in page
        assert LONG not in await here.get("/chats/")
