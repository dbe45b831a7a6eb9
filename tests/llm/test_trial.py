"""A provider is asked for its models before it is connected."""

from __future__ import annotations

import socket
import time
from contextlib import closing

import pytest

from chat.errors import ModelError
from chat.llm.catalogue import trial
from chat.llm.catalogue.connectable import BY_ID, CONNECTABLE
from tests.support.model_server import ModelServer
from tests.support.model_server.steps import Status

pytestmark = pytest.mark.anyio
KEY = "sk-right"


@pytest.mark.parametrize("address", ["{root}/v1", "{root}"])
async def test_a_compatible_server_lists_its_models(server: ModelServer, address: str) -> None:
    server.models, server.key = ["ant-1", "ant-2"], KEY
    found = await trial.models_of(BY_ID["compatible"], address.format(root=server.root), KEY)
    assert found == ["ant-1", "ant-2"]


async def test_anthropic_gets_its_own_headers(server: ModelServer) -> None:
    server.models, server.key = ["claude-1"], KEY
    assert await trial.models_of(BY_ID["anthropic"], server.root, KEY) == ["claude-1"]
    assert server.listed_for[0]["anthropic-version"] == "2023-06-01"


async def test_googles_prefix_is_removed(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.models, server.key = ["models/gemini-1"], KEY
    monkeypatch.setattr(trial, "_GEMINI_URL", f"{server.root}/v1beta/openai")
    assert await trial.models_of(BY_ID["gemini"], "", KEY) == ["gemini-1"]


async def test_ollama_is_asked_at_its_own_address(server: ModelServer) -> None:
    server.models = ["granite"]
    assert await trial.models_of(BY_ID["ollama"], server.root, "") == ["granite"]


async def test_a_wrong_key_is_reported_and_not_repeated(
    server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.models, server.key = ["ant-1"], KEY
    with pytest.raises(ModelError) as caught:
        await trial.models_of(BY_ID["compatible"], server.base_url, "sk-wrong")
    assert "key" in caught.value.message
    assert "Incorrect API key provided" in caught.value.details  # the provider's words
    assert "OPENAI" not in caught.value.message  # no variable is involved
    told = f"{caught.value.message} {caught.value.details} {caught.value!r} {caplog.text}"
    assert "sk-wrong" not in told


async def test_a_key_that_is_part_of_a_word_leaves_it_whole(server: ModelServer) -> None:
    server.models, server.key = ["ant-1"], KEY
    for key in ("key", "serve"):
        with pytest.raises(ModelError) as caught:
            await trial.models_of(BY_ID["compatible"], server.base_url, key)
        assert caught.value.message == "The model server refused the API key. Check the key."


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", ["", "404 page not found", '{"detail": "nope"}'])
async def test_an_address_without_a_list_is_wrong(
    server: ModelServer, status: int, body: str
) -> None:
    server.listing = Status(status, body)
    for address in (server.base_url, server.root):
        with pytest.raises(ModelError) as caught:
            await trial.models_of(BY_ID["compatible"], address, KEY)
        assert caught.value.message == (
            "The model server has nothing at this address. Check the address."
        )


@pytest.mark.parametrize("status", [200, 404])
async def test_a_web_page_is_not_a_model_server(server: ModelServer, status: int) -> None:
    server.listing = Status(status, "<!doctype html><title>Welcome</title>", {}, "text/html")
    with pytest.raises(ModelError) as caught:
        await trial.models_of(BY_ID["compatible"], server.base_url, KEY)
    assert caught.value.message == (
        "The model server returned a web page instead of an answer. Check the address."
    )


async def test_model_names_fit_a_page(server: ModelServer) -> None:
    server.models = ["ant\u202e-1", "a" * 5000]
    assert await trial.models_of(BY_ID["compatible"], server.base_url, KEY) == ["ant-1"]


@pytest.mark.parametrize("address", ["{root}/v1", "{root}"])
async def test_an_empty_list_is_valid(server: ModelServer, address: str) -> None:
    server.listing = Status(200, '{"object": "list", "data": []}')
    assert await trial.models_of(BY_ID["compatible"], address.format(root=server.root), KEY) == []


async def test_a_trial_with_a_silent_server_is_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.5)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(ModelError, match="cannot be reached"):
            await trial.models_of(BY_ID["compatible"], address, "")
    assert time.monotonic() - begun < 5


def test_every_provider_has_an_address_to_show() -> None:
    for provider in CONNECTABLE:
        assert not provider.takes_address or provider.address.startswith("http"), provider
