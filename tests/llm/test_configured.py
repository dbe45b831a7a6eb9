"""The configured server's address, with and without `/v1`."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chat.errors import UnknownModel
from chat.llm.catalogue import trial
from chat.llm.catalogue.configured import configured_server
from chat.llm.catalogue.connectable import BY_ID
from chat.llm.catalogue.models import Catalogue
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import ask, everything
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["", "/nowhere"])
async def test_an_address_without_v1_is_corrected(
    server: ModelServer, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """If `/nowhere/v1` does not exist, the given address is kept."""
    server.models = ["a"]
    catalogue = Catalogue(configured_server(f"{server.root}{path}", "k", Limits()))
    with caplog.at_level("INFO"):
        if path:
            assert isinstance((await catalogue.resolve("a")).client, OpenAIClient)
            with pytest.raises(UnknownModel, match="TALOS_DEFAULT_MODEL"):
                await catalogue.resolve(None)
        else:
            found = await catalogue.resolve(None)
            assert await everything(found.client, ask("hi", model=found.model_id))
            await catalogue._sources.server.listing.renew()  # type: ignore[union-attr]
            assert caplog.text.count("under /v1") == 1
    await catalogue.aclose()


@pytest.mark.parametrize("status", [200, 404])
async def test_a_page_at_the_bare_address_hides_no_list_under_v1(
    server: ModelServer, status: int
) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>", content_type="text/html")

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "a"}]})

    app = web.Application()
    app.add_routes([web.get("/models", page), web.get("/v1/models", models)])
    async with TestServer(app) as running:
        address = str(running.make_url("/")).rstrip("/")
        catalogue = Catalogue(configured_server(address, "k", Limits()))
        assert (await catalogue.resolve(None)).id == "a"
        assert await trial.models_of(BY_ID["compatible"], address, "") == ["a"]
        await catalogue.aclose()
