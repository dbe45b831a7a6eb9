from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chat.errors import ModelError, UnknownModel
from chat.llm.catalogue import models as module
from chat.llm.catalogue import trial
from chat.llm.catalogue.configured import ConfiguredServer, configured_server
from chat.llm.catalogue.connectable import BY_ID
from chat.llm.catalogue.models import Catalogue, get_catalogue, replace
from chat.llm.demo.client import DemoModel
from chat.llm.openai.client import ListedModel, OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import ask, everything
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.anyio


class Listing(OpenAIClient):
    """A client whose listing a test can hold; whatever it streams is another test's subject."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.ids = ["a"]
        self.gate = asyncio.Event()
        self.asked = asyncio.Semaphore(0)

    async def list_models(self, **_: object) -> list[ListedModel]:
        self.asked.release()
        await self.gate.wait()
        if not self.ids:
            raise ModelError("gone")
        return [ListedModel(model_id, model_id, None) for model_id in self.ids]


def of(client: OpenAIClient, *, default_model: str | None = None, **waits: Any) -> Catalogue:
    """A catalogue of one configured server."""
    return Catalogue(ConfiguredServer(client, under_v1=None, **waits), default_model=default_model)


@pytest.fixture
def listing() -> Listing:
    return Listing()


@pytest.fixture
async def with_server(server: ModelServer) -> AsyncIterator[Callable[..., Catalogue]]:
    made: list[Catalogue] = []

    def make(*models: object, default_model: str | None = None) -> Catalogue:
        server.models = list(models)  # type: ignore[arg-type]
        made.append(of(OpenAIClient(server.base_url, "k"), default_model=default_model))
        return made[-1]

    yield make
    for catalogue in made:
        await catalogue.aclose()


async def available(catalogue: Catalogue) -> list[str]:
    return [model.id for model in await catalogue.models() if model.available]


async def test_without_a_server_there_is_the_demo() -> None:
    catalogue = Catalogue()
    assert await available(catalogue) == ["demo"]
    resolved = await catalogue.resolve(None)
    assert resolved.model_id == "demo"
    assert isinstance(resolved.client, DemoModel)


async def test_the_servers_models_come_first(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server("a", {"id": "b", "context_length": 4096}, "text-embedding-3")
    assert await available(catalogue) == ["a", "b", "text-embedding-3", "demo"]
    assert await catalogue.default() == "a"
    resolved = await catalogue.resolve("b")
    assert isinstance(resolved.client, OpenAIClient)
    assert resolved.context_window == 4096
    assert isinstance((await catalogue.resolve("demo")).client, DemoModel)


async def test_a_server_may_have_a_demo_of_its_own(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server("demo")
    assert await available(catalogue) == ["demo"]
    assert isinstance((await catalogue.resolve("demo")).client, OpenAIClient)


async def test_what_a_server_does_not_list_is_unknown(
    with_server: Callable[..., Catalogue],
) -> None:
    with pytest.raises(UnknownModel, match="no model 'zzz'"):
        await with_server("a").resolve("zzz")


async def test_without_a_server_the_way_to_one_is_told() -> None:
    with pytest.raises(UnknownModel, match="OPENAI_BASE_URL"):
        await Catalogue().resolve("zzz")


async def test_a_server_that_lists_nothing_gets_what_is_asked_for(
    with_server: Callable[..., Catalogue],
) -> None:
    catalogue = with_server(default_model="named")
    assert isinstance((await catalogue.resolve("anything")).client, OpenAIClient)
    assert (await catalogue.resolve(None)).model_id == "named"
    assert await available(catalogue) == ["named", "demo"]


async def test_the_demo_may_be_named(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server(default_model="demo")
    assert [m.provider for m in await catalogue.models() if m.available] == ["talos"]


async def test_a_default_that_nobody_offers(with_server: Callable[..., Catalogue]) -> None:
    with pytest.raises(UnknownModel, match="TALOS_DEFAULT_MODEL names 'gone'"):
        await with_server("a", default_model="gone").resolve(None)


async def test_models_of_another_kind_come_last(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server("mistral-ocr-latest", "democrat-7b", "tts-1", "vanguard-1b")
    shown = ["democrat-7b", "vanguard-1b", "mistral-ocr-latest", "tts-1", "demo"]
    assert await available(catalogue) == shown
    assert await catalogue.default() == "democrat-7b"


async def test_the_only_model_is_the_default_whatever_it_is_called(
    with_server: Callable[..., Catalogue],
) -> None:
    assert await with_server("mistral-ocr-latest").default() == "mistral-ocr-latest"


@pytest.mark.parametrize("path", ["", "/nowhere"])
async def test_an_address_that_lacks_v1_is_found_out(
    server: ModelServer, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Under `/nowhere/v1` there is nothing: then the given address is kept."""
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


async def test_a_web_page_is_no_list(listing: Listing) -> None:
    """A gateway shows its page where the models were asked for."""

    class Page(Listing):
        async def list_models(self, **_: object) -> list[ListedModel]:
            raise ModelError("That is a web page.")

    listing.gate.set()
    catalogue = Catalogue(ConfiguredServer(Page(), under_v1=listing))
    assert (await catalogue.resolve(None)).client is listing
    await catalogue.aclose()
    catalogue = of(Page())
    with pytest.raises(ModelError, match="web page"):
        await catalogue.resolve(None)
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


async def test_where_nobody_is_named_the_away_server_is_asked_again(listing: Listing) -> None:
    ids, listing.ids = listing.ids, []
    listing.gate.set()
    catalogue = of(listing, retry_after=60)
    for model_id in (None, "", "openai"):
        with pytest.raises(ModelError, match="gone"):
            await catalogue.resolve(model_id)
    assert await catalogue.default() == ""
    [row, *_] = await catalogue.models()
    assert (row.id, row.name, row.available, row.reason) == (
        "openai", "Configured server", False, "gone",
    )  # fmt: skip
    assert (await catalogue.resolve("anything")).client is listing, "it may have that"
    listing.ids = ids
    assert (await catalogue.resolve(None)).id == "a", "long before its list is due"
    await catalogue.aclose()


async def test_nobody_else_is_the_default_while_it_is_away(listing: Listing) -> None:
    listing.ids = []
    listing.gate.set()
    server = ConfiguredServer(listing)
    catalogue = Catalogue(server, variables={"ANTHROPIC_API_KEY": "k"})
    assert await catalogue.default() == ""
    with pytest.raises(ModelError, match="gone"):
        await catalogue.resolve(None)
    await catalogue.aclose()


async def test_a_server_without_a_list_says_what_to_do(
    with_server: Callable[..., Catalogue],
) -> None:
    catalogue = with_server()
    [row, *_] = await catalogue.models()
    assert not row.available
    assert "TALOS_DEFAULT_MODEL" in (row.reason or "")
    assert await catalogue.default() == ""


async def test_only_the_first_wait_is_a_wait(listing: Listing) -> None:
    catalogue = of(listing, first_wait=0.1)
    assert await available(catalogue) == ["demo"]
    assert catalogue._sources.server is not None
    catalogue._sources.server._first_wait = 60
    async with asyncio.timeout(30):
        for _ in range(5):
            await catalogue.models()
    assert (await catalogue.resolve("anything")).client is listing
    await catalogue.aclose()


async def test_who_answers_is_waited_for_and_not_guessed(listing: Listing) -> None:
    catalogue = of(listing, first_wait=0.01)
    assert await catalogue.default() == "", "nobody knows yet"
    answering = asyncio.create_task(catalogue.resolve(None))
    await asyncio.sleep(0)
    assert not answering.done()
    listing.gate.set()
    assert (await answering).id == "a"
    await catalogue.aclose()


async def test_the_list_is_renewed_in_the_background(listing: Listing) -> None:
    catalogue = of(listing, fresh_for=0)
    listing.gate.set()
    assert await catalogue.default() == "a"
    listing.ids = ["b"]
    await listing.asked.acquire()
    assert await catalogue.default() == "a", "the old list, while the new one is on its way"
    await listing.asked.acquire()
    await asyncio.sleep(0)
    assert await catalogue.default() == "b"
    await catalogue.aclose()


async def test_a_server_that_goes_away_keeps_its_place(listing: Listing) -> None:
    catalogue = of(listing, fresh_for=0, retry_after=60)
    listing.gate.set()
    assert await catalogue.default() == "a"
    listing.ids = []
    await listing.asked.acquire()
    await catalogue.models()
    await listing.asked.acquire()
    await asyncio.sleep(0)
    model = (await catalogue.models())[0]
    assert (model.id, model.available, model.reason) == ("a", False, "gone")
    assert (await catalogue.resolve("a")).client is listing
    await catalogue.aclose()


async def test_it_can_be_closed_while_it_refreshes(listing: Listing) -> None:
    catalogue = of(listing, first_wait=0.01)
    await catalogue.models()
    await catalogue.aclose()


async def test_a_closed_one_asks_nobody_any_more(listing: Listing) -> None:
    """A page may still hold it when another takes its place."""
    listing.gate.set()
    catalogue = of(listing, fresh_for=0)
    assert await catalogue.default() == "a"
    await catalogue.aclose()
    await listing.asked.acquire()
    assert await catalogue.default() == "a"
    assert await available(catalogue) == ["a", "demo"]
    assert (await catalogue.resolve(None)).id == "a"
    await asyncio.sleep(0)
    assert listing.asked.locked(), "it was asked once"


def test_a_catalogue_survives_its_loop(listing: Listing) -> None:
    catalogue = of(listing, first_wait=0.01, retry_after=0)
    for _ in range(2):
        assert asyncio.run(available(catalogue)) == ["demo"]


async def test_the_process_has_one_made_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(
        OPENAI_BASE_URL=None,
        OPENAI_API_KEY=None,
        TALOS_DEFAULT_MODEL="demo",
        PROVIDER_VARIABLES={},
        TALOS_LOCAL_MODELS=False,
        TALOS_SILENCE_SECONDS=300,
        TALOS_FIRST_TOKEN_SECONDS=900,
    )
    monkeypatch.setattr("django.conf.settings", found)
    monkeypatch.setattr(module, "_catalogue", None)
    assert get_catalogue() is get_catalogue()
    assert await get_catalogue().default() == "demo"


async def test_the_one_before_is_closed_once_nobody_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closing(Catalogue):
        is_closed = False

        async def aclose(self) -> None:
            self.is_closed = True

    first, second, third = Closing(), Closing(), Closing()
    monkeypatch.setattr(module, "_catalogue", first)
    async with get_catalogue().hold(), get_catalogue().hold():
        await replace(second)
        assert get_catalogue() is second
        assert not first.is_closed, "its streams go on"
    assert first.is_closed
    await replace(third)
    assert second.is_closed
    await replace(third)
    assert not third.is_closed
