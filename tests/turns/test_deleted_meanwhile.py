"""A deletion at any point of an answer causes no error, and the next conversation is answered."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest

from tests.support.model_server.steps import Call
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

POINTS = 40


class Browser:
    """Deletes a conversation with the page's form."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self.http, self.address = http, address
        self.token = ""

    async def open(self) -> None:
        async with self.http.get(f"{self.address}/import/") as page:
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text())
        assert found is not None
        self.token = found[1]

    async def delete(self, session: str) -> int:
        form = {"csrfmiddlewaretoken": self.token}
        path = f"{self.address}/c/{session}/delete/"
        async with self.http.post(path, data=form, allow_redirects=False) as answer:
            return answer.status


async def test_no_traceback_is_logged(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = own_server.start()
    for _ in range(POINTS):
        model.reply(Call("calculate", '{"expression": "6*7"}'))
        model.reply("It ", "is ", "42.")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        browser = Browser(http, address)
        await browser.open()
        for point in range(POINTS):
            chat = await connect(address)
            await chat.send("new_session")
            await chat.until("session_created")
            await chat.send("send", text="go", model=model.id, client_id=f"c{point}")
            await asyncio.sleep(point * 0.004)  # a different point each time
            assert await browser.delete(chat.session_id) == 302
            assert (await chat.until("done"))[-1]["client_id"] == f"c{point}"
            await chat.close()
    model.reply("Still here.")
    model.reply("Still here.")
    chat = await connect(address)
    assert (await chat.say("hello", model=model.id))[-1]["status"] == "completed"
    status, errors = own_server.talos.stop()
    assert status == 0
    assert "Traceback" not in errors, errors
    assert "ERROR" not in errors, errors
