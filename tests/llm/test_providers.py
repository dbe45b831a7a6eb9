"""Models besides the configured server's: providers with a key, and servers on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from chat.errors import ModelError, UnknownModel
from chat.llm.base import Stop, Text, Usage
from chat.llm.catalogue import prices, providers
from chat.llm.catalogue.configured import ConfiguredServer
from chat.llm.catalogue.local_servers import LocalServer, local_servers
from chat.llm.catalogue.menu import Model
from chat.llm.catalogue.models import Catalogue, Resolved
from chat.llm.catalogue.routing import route
from chat.llm.failures.errors import Names
from chat.llm.litellm.asking import Provider
from chat.llm.litellm.client import LiteLLMClient
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import ask, everything
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.anyio

CLAUDE = "claude-sonnet-4-20250514"
NOBODY = "http://127.0.0.1:9"
Make = Callable[..., Catalogue]


@pytest.fixture
async def make(server: ModelServer) -> AsyncIterator[Make]:
    made: list[Catalogue] = []

    def make(
        *listed: str, server_url: str | None = None, local: bool = False, **keys: str
    ) -> Catalogue:
        server.models = list(listed)
        client = ConfiguredServer(OpenAIClient(server_url, "k")) if server_url else None
        variables = {
            "OLLAMA_API_BASE": server.root,
            "LM_STUDIO_API_BASE": NOBODY,
            **keys,
        }
        found = local_servers(variables, besides=None) if local else ()
        made.append(Catalogue(client, variables=variables, local=found))
        return made[-1]

    yield make
    for catalogue in made:
        await catalogue.aclose()


async def rows(catalogue: Catalogue, provider: str) -> list[Model]:
    return [model for model in await catalogue.models() if model.provider == provider]


async def answered_by(found: Resolved) -> list[object]:
    return list(await everything(found.client, ask("hi", model=found.model_id)))


async def test_a_model_reaches_its_provider_if_the_key_is_set(
    make: Make, server: ModelServer
) -> None:
    catalogue = make(ANTHROPIC_API_KEY="k", ANTHROPIC_API_BASE=server.root)
    found = await catalogue.resolve(CLAUDE)
    assert await answered_by(found) == [Text("You said: hi"), Stop("stop")]
    assert server.requests[0].asked.model == CLAUDE
    assert server.requests[0].headers["x-api-key"] == "k"


async def test_a_missing_key_is_named(make: Make) -> None:
    for wanted in (CLAUDE, f"anthropic/{CLAUDE}", "claude-sonnet-4-5"):
        with pytest.raises(UnknownModel, match="set ANTHROPIC_API_KEY"):
            await make().resolve(wanted)


async def test_providers_with_openais_protocol_need_no_litellm(
    make: Make, server: ModelServer
) -> None:
    catalogue = make(GROQ_API_KEY="gsk", GROQ_API_BASE=server.base_url)
    found = await catalogue.resolve("groq/openai/gpt-oss-120b")
    assert isinstance(found.client, OpenAIClient)
    await answered_by(found)
    assert server.requests[0].asked.model == "openai/gpt-oss-120b"
    assert server.requests[0].headers["Authorization"] == "Bearer gsk"


async def test_cohere_is_asked_at_its_openai_endpoint(make: Make, server: ModelServer) -> None:
    catalogue = make(COHERE_API_KEY="k", COHERE_API_BASE=server.base_url)
    found = await catalogue.resolve("cohere/command-a-03-2025")
    assert isinstance(found.client, OpenAIClient)
    await answered_by(found)
    assert server.requests[0].asked.model == "command-a-03-2025"


async def test_any_litellm_provider_can_be_named(make: Make) -> None:
    found = await make(SNOWFLAKE_API_KEY="k").resolve("snowflake/mistral-7b")
    assert isinstance(found.client, LiteLLMClient)
    assert found.model_id == "mistral-7b"


@pytest.mark.parametrize(
    ("wanted", "provider", "name"),
    [
        ("gemini-2.5-pro", "gemini", "gemini-2.5-pro"),
        ("deepseek-chat", "deepseek", "deepseek-chat"),
        ("cohere/command-a-03-2025", "cohere_chat", "command-a-03-2025"),
        ("openrouter/anthropic/claude-x", "openrouter", "anthropic/claude-x"),
        ("bedrock/anthropic.claude-x", "bedrock", "anthropic.claude-x"),
        ("gpt-4o", None, ""),
        ("openai/gpt-4o", None, ""),
        ("ollama/llama3", None, ""),
        ("meta-llama/Llama-3", None, ""),
        ("anthropic/", None, ""),
        ("zzz", None, ""),
    ],
)
def test_an_id_leads_to_its_provider(wanted: str, provider: str | None, name: str) -> None:
    found = route(wanted)
    assert (found and found.provider.id, found.name if found else "") == (provider, name)


async def test_keys_of_another_kind_are_left_to_litellm(make: Make) -> None:
    found = await make(AWS_ACCESS_KEY_ID="id").resolve("bedrock/m")
    assert isinstance(found.client, LiteLLMClient)
    assert found.client._provider == Provider("bedrock", None, None)


async def test_a_model_listed_by_the_configured_server_goes_there(
    make: Make, server: ModelServer
) -> None:
    catalogue = make(CLAUDE, server_url=server.base_url, ANTHROPIC_API_KEY="k")
    assert isinstance((await catalogue.resolve(CLAUDE)).client, OpenAIClient)
    assert isinstance((await catalogue.resolve("claude-opus-5")).client, LiteLLMClient)


async def test_a_key_takes_precedence_over_a_server_that_lists_nothing(
    make: Make, server: ModelServer
) -> None:
    catalogue = make(server_url=server.base_url, ANTHROPIC_API_KEY="k")
    assert isinstance((await catalogue.resolve(CLAUDE)).client, LiteLLMClient)
    for wanted in ("gemini/gemini-2.5-pro", "meta-llama/Llama-3", "gpt-4o"):
        found = await catalogue.resolve(wanted)
        assert isinstance(found.client, OpenAIClient)
        assert found.model_id == wanted
    assert (await catalogue.resolve("openai/gpt-4o")).model_id == "gpt-4o"


async def test_the_menu_shows_models_that_a_key_would_add(make: Make) -> None:
    catalogue = make(ANTHROPIC_API_KEY="k")
    anthropic, gemini = await rows(catalogue, "anthropic"), await rows(catalogue, "gemini")
    assert all(model.available for model in anthropic)
    assert len(anthropic) > 3
    assert [(model.available, model.reason) for model in gemini] == [
        (False, "Connect it under Settings, or set GEMINI_API_KEY")
    ]
    missing = [model for model in await catalogue.models() if not model.available]
    assert 3 < len(missing) < 12


@pytest.mark.parametrize("listed", [None, (), ("listed",)], ids=["no server", "silent", "lists"])
async def test_every_available_model_resolves(
    make: Make, server: ModelServer, listed: tuple[str, ...] | None
) -> None:
    others = sorted(prices.providers())  # includes `openai`, whose key is the configured server's
    keys = {provider.keys[0]: "k" for provider in (*providers.KNOWN, *map(providers.named, others))}
    assert "OPENAI_API_KEY" in keys
    url = None if listed is None else server.base_url
    catalogue = make(*listed or (), server_url=url, **keys)
    offered = [model for model in await catalogue.models() if model.available]
    assert len(offered) > 1000
    for model in offered:
        await catalogue.resolve(model.id)
    assert [m.id for m in offered if m.provider == "openai"] == list(listed or ())


async def test_the_menu_has_abilities(make: Make) -> None:
    models = {model.id: model for model in await make(GEMINI_API_KEY="k").models()}
    model = models["gemini/gemini-2.5-pro"]
    assert model.context_window == 1_048_576
    assert model.supports_tools
    assert model.supports_reasoning


async def test_the_default_is_usable(make: Make, server: ModelServer) -> None:
    assert await make().default() == "demo"
    catalogue = make(ANTHROPIC_API_KEY="k")
    assert await catalogue.default() == providers.named("anthropic").preferred[0]
    both = make("a", server_url=server.base_url, ANTHROPIC_API_KEY="k")
    assert await both.default() == "a"


async def test_the_preferred_models_are_in_the_list() -> None:
    """If a new version of LiteLLM drops one, name another."""
    for provider in providers.SHOWN_WITHOUT_KEY:
        assert provider.id == "openrouter" or set(provider.preferred) & set(prices.known())


async def test_a_server_on_this_machine_is_found(make: Make, server: ModelServer) -> None:
    catalogue = make("llama3.2", "nomic-embed-text", local=True)
    assert await rows(catalogue, "ollama") == [], "nobody waits for it"
    refresh = catalogue._sources.local[0].listing.refresh()
    assert refresh is not None
    await refresh
    found = [model.id for model in await rows(catalogue, "ollama")]
    assert found == ["ollama/llama3.2", "ollama/nomic-embed-text"]
    assert await catalogue.default() == "ollama/llama3.2"
    resolved = await catalogue.resolve("ollama/llama3.2")
    assert await answered_by(resolved) == [Text("You said: hi"), Stop("stop")]
    assert server.requests[0].asked.model == "llama3.2"


async def test_asking_for_one_of_its_models_waits_for_the_list(make: Make) -> None:
    found = await make("llama3.2", local=True).resolve("ollama/llama3.2")
    assert found.model_id == "llama3.2"


async def test_a_local_server_that_does_not_run_does_no_harm() -> None:
    nobody = LocalServer("lm_studio", NOBODY, Names(), Limits())
    catalogue = Catalogue(local=[nobody])
    assert (await catalogue.resolve(None)).id == "demo", "there is nothing else"
    assert await rows(catalogue, "lm_studio") == []
    assert nobody.listing.problem is None
    with pytest.raises(UnknownModel):
        await catalogue.resolve("lm_studio/anything")
    await catalogue.aclose()


async def test_an_expected_local_server_is_on_the_menu_with_its_problem() -> None:
    [_, away] = local_servers({"LM_STUDIO_API_BASE": NOBODY}, besides=None)
    catalogue = Catalogue(local=[away])
    with pytest.raises(ModelError, match="cannot be reached"):
        await catalogue.resolve(None)
    assert await catalogue.default() == "", "and not the demo"
    [row] = await rows(catalogue, "lm_studio")
    assert not row.available
    assert "LM_STUDIO_API_BASE" in (row.reason or "")
    await catalogue.aclose()


async def test_a_local_server_that_stops_keeps_its_place() -> None:
    with ModelServer() as server:
        server.models = ["llama3.2"]
        [ollama, _] = local_servers({"OLLAMA_API_BASE": server.root}, besides=None)
        ollama.is_set = False
        catalogue = Catalogue(local=[ollama])
        assert (await catalogue.resolve(None)).id == "ollama/llama3.2", "sought before the demo"
    await ollama.listing.renew()
    [row] = await rows(catalogue, "ollama")
    assert (row.id, row.available) == ("ollama/llama3.2", False)
    assert "OLLAMA_API_BASE" in (row.reason or "")
    assert await catalogue.default() == "ollama/llama3.2"
    await catalogue.aclose()


async def test_the_demo_is_not_the_default_if_a_key_is_set(make: Make) -> None:
    catalogue = make(AZURE_API_KEY="k")  # Azure's customers choose the models' names
    assert await catalogue.default() == ""
    with pytest.raises(UnknownModel, match="TALOS_DEFAULT_MODEL"):
        await catalogue.resolve(None)
    assert (await catalogue.resolve("demo")).id == "demo"
    assert await make(UNHEARD_OF_API_KEY="k").default() == "demo", "no model provider's"


def test_the_configured_server_is_not_looked_for_again() -> None:
    found = local_servers({}, besides="http://localhost:11434/v1")
    assert [server.provider for server in found] == ["lm_studio"]


async def test_the_offer_follows_the_contract(make: Make) -> None:
    offer = await make().offer()
    assert offer["current"] == "demo"
    assert offer["models"][0] == {
        "id": "demo", "name": "Scripted demo", "provider": "talos", "available": True,
    }  # fmt: skip
    assert offer["models"][-1].keys() == {"id", "name", "provider", "available", "reason"}


async def test_a_resolved_model_knows_its_price(make: Make, server: ModelServer) -> None:
    found = await make(GEMINI_API_KEY="k").resolve("gemini/gemini-2.5-pro")
    assert found.cost(Usage(1000, 100)) == Decimal("0.00225")
    assert (await make().resolve("demo")).cost(Usage(1, 1)) is None
    elsewhere = await make("gpt-4o", server_url=server.base_url).resolve("gpt-4o")
    assert elsewhere.cost(Usage(1, 1)) is None, "another server than OpenAI's own"
