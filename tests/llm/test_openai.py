"""Particularities of OpenAI-compatible servers; `test_contract.py` has the common contract."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chat.errors import ModelError, ModelLoading
from chat.llm.base import (
    AssistantMessage,
    Request,
    Stop,
    SystemMessage,
    Text,
    ToolMessage,
    ToolRequest,
    ToolSpec,
    Usage,
    UserMessage,
)
from chat.llm.openai.client import ListedModel, OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import KEY, ask, everything
from tests.support.model_server import Chunk, End, ModelServer, Raw, Silence, Status, Tokens

pytestmark = pytest.mark.anyio

CALL = ToolRequest("a", "calculate", '{"expression": "1+1"}')
TOOL = ToolSpec("calculate", "Works out a sum.", {"type": "object", "properties": {}})
FULL = Request(
    "m",
    (
        SystemMessage("Be short."),
        UserMessage("1+1?"),
        AssistantMessage("", (CALL,)),
        ToolMessage("a", "calculate", "2"),
        AssistantMessage("It is 2."),
        UserMessage("Sure?"),
    ),
    tools=(TOOL,),
    max_output_tokens=100,
    temperature=0.5,
)


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[OpenAIClient]:
    made = OpenAIClient(server.base_url, KEY, limits=Limits(2, 2), pauses=(0.01,))
    yield made
    await made.aclose()


async def test_the_request_follows_the_protocol(client: OpenAIClient, server: ModelServer) -> None:
    await everything(client, FULL)
    function = {"name": "calculate", "arguments": '{"expression": "1+1"}'}
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert server.requests[0].body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "1+1?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "a", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "a", "content": "2"},
            {"role": "assistant", "content": "It is 2."},
            {"role": "user", "content": "Sure?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "calculate",
                    "description": "Works out a sum.",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
        "max_tokens": 100,
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("end", ["", "/"])
async def test_an_address_without_a_path_keeps_its_host(end: str) -> None:
    async def said(request: web.Request) -> web.Response:
        answer = {"message": {"content": "hello"}, "finish_reason": "stop"}
        listing = {"data": [{"id": "a"}]}
        return web.json_response(listing if request.method == "GET" else {"choices": [answer]})

    app = web.Application()
    app.add_routes([web.get("/models", said), web.post("/chat/completions", said)])
    async with TestServer(app) as running:
        root = str(running.make_url("/")).rstrip("/")
        client = OpenAIClient(f"{root}{end}", KEY)
        assert [model.id for model in await client.list_models()] == ["a"]
        assert Text("hello") in await everything(client)
        await client.aclose()


async def test_connections_are_reused(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_DONE", 20)
    for _ in range(3):
        await everything(client)
    assert len({request.peer for request in server.requests}) == 1


async def test_usage_is_requested(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", "a", Tokens(1, 2, 3))
    assert await everything(client) == [Text("a"), Usage(1, 2, 3), Stop("stop")]


async def test_a_server_that_does_not_stream(client: OpenAIClient, server: ModelServer) -> None:
    whole = b'\n{"choices": [{"message": {"content": "all"}, "finish_reason": "stop"}]}'
    server.script("m", Raw(whole), End(), bytewise=True)
    assert await everything(client) == [Text("all"), Stop("stop")]


async def test_a_finished_answer_does_not_wait_for_done(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_FINISH", 0.05)
    finish = Chunk({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    server.script("m", "a", finish, Silence())
    assert await everything(client) == [Text("a"), Stop("stop")]
    await server.requests[0].closed()


async def test_a_local_server_needs_no_key(server: ModelServer) -> None:
    client = OpenAIClient(server.base_url, None)
    assert await everything(client, ask("hi")) == [Text("You said: hi"), Stop("stop")]
    await client.aclose()


async def test_the_list_of_models(client: OpenAIClient, server: ModelServer) -> None:
    server.models = [
        "a",
        {"id": "b", "name": "Model B", "context_length": 8192},
        {"id": "c", "max_model_len": 4096},
        {"no": "id"},
    ]
    assert await client.list_models() == [
        ListedModel("a", "a", None),
        ListedModel("b", "Model B", 8192),
        ListedModel("c", "c", 4096),
    ]


@pytest.mark.parametrize(
    "body", ['[{"id": "a"}]', '{"models": [{"model": "a", "name": "a"}]}', '["a"]']
)
async def test_other_formats_of_the_list(
    client: OpenAIClient, server: ModelServer, body: str
) -> None:
    server.listing = Status(200, body)
    assert await client.list_models() == [ListedModel("a", "a", None)]


@pytest.mark.parametrize(
    "entry",
    [
        {"loaded_context_length": 4096, "max_context_length": 131072},
        {"max_model_len": 4096},
        {"context_length": 131072, "top_provider": {"context_length": 4096}},
        {"context_length": 4096, "top_provider": None},
        {"context_window": 4096},
        {"max_context_length": 4096},
        {"meta": {"n_ctx_train": 4096}},
    ],
)
async def test_windows_have_many_names(
    client: OpenAIClient, server: ModelServer, entry: dict[str, object]
) -> None:
    server.models = [{"id": "a", **entry}]
    assert (await client.list_models())[0].context_window == 4096


async def test_a_failed_list_is_a_model_error_with_its_reason(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.listing = Status(401, f'{{"error": {{"message": "The key {KEY} is unknown"}}}}')
    with pytest.raises(ModelError, match="Check OPENAI_API_KEY") as caught:
        await client.list_models()
    assert caught.value.details == "401: The key … is unknown"


async def test_a_loading_server_is_distinguished_when_listing(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.listing = Status(503, '{"error": {"code": 503, "message": "Loading model"}}')
    with pytest.raises(ModelLoading):
        await client.list_models()


@pytest.mark.parametrize("body", ["42", "{"])
async def test_an_invalid_list_is_a_model_error(
    client: OpenAIClient, server: ModelServer, body: str
) -> None:
    server.listing = Status(200, body)
    with pytest.raises(ModelError, match="not an answer"):
        await client.list_models()


@pytest.mark.parametrize("status", [200, 404, 405])
@pytest.mark.parametrize("body", ["<html>", "\ufeff \r\n<!DOCTYPE html><title>404</title>"])
async def test_a_web_page_is_neither_a_list_nor_a_missing_one(
    client: OpenAIClient, server: ModelServer, status: int, body: str
) -> None:
    server.listing = Status(status, body)
    with pytest.raises(ModelError, match=r"web page instead of an answer\. Check OPENAI_BASE_URL"):
        await client.list_models()


@pytest.mark.parametrize(
    ("status", "words"), [(301, "redirects"), (401, "API key"), (502, "internal error")]
)
async def test_a_gateways_page_does_not_hide_the_status(
    client: OpenAIClient, server: ModelServer, status: int, words: str
) -> None:
    server.listing = Status(status, "<html><h1>nginx</h1></html>")
    with pytest.raises(ModelError, match=words):
        await client.list_models()


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", ["", "404 page not found", '{"detail": "Not Found"}'])
async def test_a_server_may_have_no_list(
    client: OpenAIClient, server: ModelServer, status: int, body: str
) -> None:
    server.listing = Status(status, body)
    assert await client.list_models() == []


def test_the_sdk_is_loaded_on_first_use_only() -> None:
    program = "import sys, chat.llm.catalogue.models; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("spared", [False, True])
async def test_the_environments_proxy_is_used(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, spared: bool
) -> None:
    monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
    monkeypatch.setenv("no_proxy", "model.invalid" if spared else "")
    client = OpenAIClient("http://model.invalid/v1", KEY, pauses=())
    if spared:
        with pytest.raises(ModelError, match="cannot be reached"):
            await everything(client)
    else:
        assert await everything(client, ask("hi")) == [Text("You said: hi"), Stop("stop")]
        assert server.requests[0].headers["Host"] == "model.invalid"
    await client.aclose()
