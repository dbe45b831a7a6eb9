"""Connecting, trying and forgetting providers."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat import connections, services
from chat.connections import sealing
from chat.errors import ModelError, NotAllowed
from chat.llm.catalogue.connectable import BY_ID
from chat.llm.catalogue.models import get_catalogue
from chat.models import ProviderConnection
from chat.turns import toolbox
from tests.llm.conftest import ask, everything
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Status

KEY = "sk-entered-in-the-browser"
LOST = "Its key can no longer be decrypted. Enter it again under Settings."
ANOTHER = "another-secret-of-more-than-32-characters"


def connect(owner: User, name: str = "compatible", address: str = "", key: str = KEY) -> None:
    services.connect(owner, provider=BY_ID[name], address=address, key=key)


def offered_ids() -> set[str]:
    async def models() -> set[str]:
        try:
            if (server := get_catalogue()._sources.server) is not None:
                await server.listing.renew()  # however long it takes
            return {model.id for model in await get_catalogue().models() if model.available}
        finally:  # before this loop ends
            await get_catalogue().aclose()

    return asyncio.run(models())


def test_a_connected_provider_is_offered_at_once_until_it_is_removed(
    owner: User, models: ModelServer
) -> None:
    assert offered_ids() == {"demo"}
    connect(owner, address=models.base_url)
    assert offered_ids() == {"ant-1", "ant-2", "demo"}
    assert models.listed_for[-1]["Authorization"] == f"Bearer {KEY}"
    services.disconnect(owner, provider="openai")
    assert offered_ids() == {"demo"}
    assert not ProviderConnection.objects.exists()


def test_the_key_is_in_no_row_and_in_no_list(owner: User) -> None:
    connect(owner, "anthropic")
    row = ProviderConnection.objects.values().get()
    assert KEY not in f"{row} {services.list_connected()!r}"
    (connected,) = services.list_connected()
    assert (connected.has_key, connected.is_readable, connected.variable) == (True, True, None)


def test_an_empty_key_keeps_the_stored_one_for_its_address_alone(
    owner: User, models: ModelServer
) -> None:
    provider = BY_ID["groq"]
    connect(owner, "groq", models.base_url)
    connect(owner, "groq", models.base_url, key="")
    services.models_of(owner, provider=provider, address=models.base_url, key="")
    assert models.listed_for[-1]["Authorization"] == f"Bearer {KEY}"
    with pytest.raises(NotAllowed, match="Enter your Groq API key"):
        connect(owner, "groq", "http://127.0.0.1:9/v1", key="")
    with pytest.raises(NotAllowed, match="Enter your Groq API key"):
        services.models_of(owner, provider=provider, address="http://127.0.0.1:9/v1", key="")


@pytest.mark.parametrize("name", ["compatible", "groq"])
def test_a_connections_problem_is_explained_without_variables(
    owner: User, models: ModelServer, name: str
) -> None:
    async def answer() -> None:
        catalogue = get_catalogue()
        try:
            found = await catalogue.resolve("groq/ant-1" if name == "groq" else "ant-1")
            await everything(found.client, ask("hi", model=found.model_id))
        finally:
            await catalogue.aclose()

    models.script("ant-1", Status(401))
    connect(owner, name, models.base_url)
    with pytest.raises(ModelError, match=r"refused the API key. Check the key under Settings"):
        asyncio.run(answer())


@pytest.mark.parametrize(
    ("provider", "address"),
    [("openai", "http://127.0.0.1:9/v1"), ("ollama", "http://127.0.0.1:9")],
)
def test_the_problem_of_an_unreachable_connection_names_its_address(
    owner: User, provider: str, address: str
) -> None:
    async def reasons() -> dict[str, str | None]:
        catalogue = get_catalogue()
        try:
            await catalogue._sources.refresh()
            await catalogue._sources.wait_for_lists()
            return {model.id: model.reason for model in await catalogue.models()}
        finally:
            await catalogue.aclose()

    connect(owner, "compatible" if provider == "openai" else provider, address, "")
    assert "check the address under Settings." in (asyncio.run(reasons())[provider] or "")


def test_the_later_of_two_concurrent_first_saves_wins(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = sealing.seal

    def another_comes_between(key: str) -> str:
        monkeypatch.setattr(sealing, "seal", seal)
        ProviderConnection.objects.create(provider="groq", sealed_key=seal("sk-of-another-page"))
        return seal(key)

    monkeypatch.setattr(sealing, "seal", another_comes_between)
    connect(owner, "groq")
    assert sealing.unseal(ProviderConnection.objects.get().sealed_key) == KEY


def test_a_trial_stores_nothing(owner: User, models: ModelServer) -> None:
    ask = {"provider": BY_ID["compatible"], "address": models.base_url}
    assert services.models_of(owner, **ask, key=KEY) == ["ant-1", "ant-2"]  # type: ignore[arg-type]
    models.key = "sk-other"
    with pytest.raises(ModelError):
        services.models_of(owner, **ask, key=KEY)  # type: ignore[arg-type]
    assert not ProviderConnection.objects.exists()


def test_a_provider_from_the_environment_cannot_be_connected(
    owner: User, settings: Settings
) -> None:
    settings.PROVIDER_VARIABLES = {"ANTHROPIC_API_KEY": "sk-of-the-environment"}
    with pytest.raises(NotAllowed, match="ANTHROPIC_API_KEY"):
        connect(owner, "anthropic")
    (connected,) = services.list_connected()
    assert (connected.provider.name, connected.variable) == ("Anthropic", "ANTHROPIC_API_KEY")


def test_the_environment_takes_precedence_over_what_was_stored_before(
    owner: User, settings: Settings
) -> None:
    connect(owner, "anthropic")
    settings.PROVIDER_VARIABLES = {"ANTHROPIC_API_KEY": "sk-of-the-environment"}
    assert connections.configuration().variables == settings.PROVIDER_VARIABLES
    services.disconnect(owner, provider="anthropic")  # it can still be removed
    assert not ProviderConnection.objects.exists()


def lose_the_keys(settings: Settings) -> None:
    settings.SECRET_KEY = ANOTHER
    connections.current._known.rows = ()  # as after a restart
    connections.refresh()


def test_a_key_of_another_secret_is_reported_and_not_used(
    owner: User, models: ModelServer, settings: Settings
) -> None:
    connect(owner, address=models.base_url)
    lose_the_keys(settings)
    assert offered_ids() == {"demo"}
    assert not services.list_connected()[0].is_readable
    assert models.listed_for == []
    assert connections.keys() == []
    connect(owner, address=models.base_url)
    assert services.list_connected()[0].is_readable
    assert offered_ids() > {"ant-1"}


@pytest.mark.parametrize(
    ("name", "model", "row", "default"),
    [
        ("compatible", "ant-1", "openai", ""),
        ("openai", "gpt-5.5", "openai", ""),
        ("anthropic", "claude-opus-5-5", "claude-sonnet-5-5", "claude-sonnet-5-5"),
        (
            "groq",
            "groq/openai/gpt-oss-120b",
            "groq/openai/gpt-oss-120b",
            "groq/openai/gpt-oss-120b",
        ),
    ],
)
def test_no_model_stands_in_for_a_provider_with_an_unreadable_key(
    owner: User, settings: Settings, name: str, model: str, row: str, default: str
) -> None:
    async def seen() -> None:
        catalogue = get_catalogue()
        try:
            offer = await catalogue.offer()
            assert offer["current"] == default
            [shown] = [each for each in offer["models"] if each["id"] == row]
            assert (shown["available"], shown["reason"]) == (False, LOST)
            for wanted in (model, None):  # as in an existing chat, and in a new one
                with pytest.raises(ModelError) as caught:
                    found = await catalogue.resolve(wanted)
                    await everything(found.client, ask("hi", model=found.model_id))
                assert caught.value.message == LOST
        finally:
            await catalogue.aclose()

    connect(owner, name, "http://127.0.0.1:9/v1" if name == "compatible" else "")
    lose_the_keys(settings)
    asyncio.run(seen())


def test_connecting_requires_permission(owner: User) -> None:
    visitor = User(username="visitor", is_active=True)
    for attempt in (
        lambda: connect(visitor),
        lambda: services.disconnect(visitor, provider="openai"),
        lambda: services.models_of(visitor, provider=BY_ID["openai"], address="", key=KEY),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert not ProviderConnection.objects.exists()


def test_tool_results_never_contain_stored_keys(owner: User) -> None:
    runner = toolbox.runner()
    assert KEY not in runner._secrets()
    connect(owner, "groq")
    assert KEY in runner._secrets()


def test_a_poll_finds_rows_of_another_process(owner: User, models: ModelServer) -> None:
    connect(owner, address=models.base_url)
    row = ProviderConnection.objects.values("provider", "address", "sealed_key").get()
    services.disconnect(owner, provider="openai")
    ProviderConnection.objects.create(**row)
    assert offered_ids() == {"demo"}
    asyncio.run(connections.poll())
    before = get_catalogue()
    assert offered_ids() > {"ant-1"}
    asyncio.run(connections.poll())
    assert get_catalogue() is before  # nothing has changed since
