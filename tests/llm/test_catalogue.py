"""The catalogue of one configured server: its menu, its default and the routing of ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chat.errors import ModelError, UnknownModel
from chat.llm.catalogue.configured import ConfiguredServer
from chat.llm.catalogue.models import Catalogue
from chat.llm.demo.client import DemoModel
from chat.llm.openai.client import ListedModel, OpenAIClient
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.anyio


class Listing(OpenAIClient):
    """A client whose list a test can hold back; it does not stream."""

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


async def test_a_server_may_have_a_model_called_demo(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server("demo")
    assert await available(catalogue) == ["demo"]
    assert isinstance((await catalogue.resolve("demo")).client, OpenAIClient)


async def test_an_unlisted_model_is_unknown(
    with_server: Callable[..., Catalogue],
) -> None:
    with pytest.raises(UnknownModel, match="no model 'zzz'"):
        await with_server("a").resolve("zzz")


async def test_without_a_server_the_error_says_how_to_connect_one() -> None:
    with pytest.raises(UnknownModel, match="OPENAI_BASE_URL"):
        await Catalogue().resolve("zzz")


async def test_a_server_that_lists_nothing_gets_any_id(
    with_server: Callable[..., Catalogue],
) -> None:
    catalogue = with_server(default_model="named")
    assert isinstance((await catalogue.resolve("anything")).client, OpenAIClient)
    assert (await catalogue.resolve(None)).model_id == "named"
    assert await available(catalogue) == ["named", "demo"]


async def test_the_demo_may_be_the_named_default(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server(default_model="demo")
    assert [m.provider for m in await catalogue.models() if m.available] == ["talos"]


async def test_a_default_that_no_server_offers(with_server: Callable[..., Catalogue]) -> None:
    with pytest.raises(UnknownModel, match="TALOS_DEFAULT_MODEL names 'gone'"):
        await with_server("a", default_model="gone").resolve(None)


async def test_models_of_another_kind_come_last(with_server: Callable[..., Catalogue]) -> None:
    catalogue = with_server("mistral-ocr-latest", "democrat-7b", "tts-1", "vanguard-1b")
    shown = ["democrat-7b", "vanguard-1b", "mistral-ocr-latest", "tts-1", "demo"]
    assert await available(catalogue) == shown
    assert await catalogue.default() == "democrat-7b"


async def test_the_only_model_is_the_default_whatever_its_name(
    with_server: Callable[..., Catalogue],
) -> None:
    assert await with_server("mistral-ocr-latest").default() == "mistral-ocr-latest"


async def test_without_a_named_model_an_unreachable_server_is_asked_again(listing: Listing) -> None:
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


async def test_no_other_model_becomes_the_default_while_it_is_unreachable(listing: Listing) -> None:
    listing.ids = []
    listing.gate.set()
    server = ConfiguredServer(listing)
    catalogue = Catalogue(server, variables={"ANTHROPIC_API_KEY": "k"})
    assert await catalogue.default() == ""
    with pytest.raises(ModelError, match="gone"):
        await catalogue.resolve(None)
    await catalogue.aclose()


async def test_the_row_of_a_server_without_a_list_says_what_to_do(
    with_server: Callable[..., Catalogue],
) -> None:
    catalogue = with_server()
    [row, *_] = await catalogue.models()
    assert not row.available
    assert "TALOS_DEFAULT_MODEL" in (row.reason or "")
    assert await catalogue.default() == ""


async def test_only_the_first_refresh_waits(listing: Listing) -> None:
    catalogue = of(listing, first_wait=0.1)
    assert await available(catalogue) == ["demo"]
    assert catalogue._sources.server is not None
    catalogue._sources.server._first_wait = 60
    async with asyncio.timeout(30):
        for _ in range(5):
            await catalogue.models()
    assert (await catalogue.resolve("anything")).client is listing
    await catalogue.aclose()


async def test_the_default_is_waited_for_rather_than_guessed(listing: Listing) -> None:
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


async def test_a_server_that_becomes_unreachable_keeps_its_place(listing: Listing) -> None:
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


async def test_a_closed_catalogue_makes_no_requests(listing: Listing) -> None:
    """A page may still use it after it was replaced."""
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


async def test_a_web_page_is_not_a_list(listing: Listing) -> None:
    """A gateway sends a page instead of the models."""

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


def test_a_catalogue_survives_its_loop(listing: Listing) -> None:
    catalogue = of(listing, first_wait=0.01, retry_after=0)
    for _ in range(2):
        assert asyncio.run(available(catalogue)) == ["demo"]
