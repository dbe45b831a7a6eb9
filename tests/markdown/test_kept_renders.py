"""A server renders a finished answer once, and stores the result in its database."""

from __future__ import annotations

import asyncio
from contextlib import closing

import aiohttp
import pytest

from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio


async def test_the_html_of_a_page_is_stored(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = own_server.start()
    model.reply("One *word*.")
    chat = await connect(address)
    await chat.say("go", model=model.id)
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        async with http.get(f"{address}/c/{chat.session_id}/") as page:
            assert "One <em>word</em>." in await page.text()
        with closing(own_server.database()) as database:
            while not (found := kept(database)):  # noqa: ASYNC110  # another process's write
                await asyncio.sleep(0.05)
    assert found == [('<p dir="auto">One <em>word</em>.</p>\n', None)]


def kept(database: object) -> list[tuple[str, object]]:
    cursor = database.cursor()  # type: ignore[attr-defined]  # of either database
    cursor.execute("SELECT html, until FROM chat_keptrender")
    rows: list[tuple[str, object]] = cursor.fetchall()
    database.commit()  # type: ignore[attr-defined]  # PostgreSQL looks anew
    return rows
