"""LiteLLM's particularities; `test_contract.py` tests the contract of all clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest

from chat.errors import ModelError
from chat.llm.base import (
    AssistantMessage,
    Remark,
    Request,
    Stop,
    SystemMessage,
    Text,
    ToolMessage,
    ToolRequest,
    ToolSpec,
    Usage,
    UserMessage,
    Waiting,
)
from chat.llm.failures.errors import Names
from chat.llm.litellm import importing
from chat.llm.litellm.call import Call
from chat.llm.litellm.client import LiteLLMClient
from chat.llm.stream.limits import Limits
from chat.llm.stream.patience import Patience
from tests.llm.conftest import KEY, ask, everything, litellm_client
from tests.support.model_server import Cut, End, ModelServer, Silence, Status, Tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("litellm_imported")]

CALL = ToolRequest("a", "calculate", '{"expression": "1+1"}')
TOOL = ToolSpec("calculate", "Works out a sum.", {"type": "object", "properties": {}})
FULL = Request(
    "claude-sonnet-4-5",
    (
        SystemMessage("Be short."),
        UserMessage("1+1?"),
        AssistantMessage("", (CALL,)),
        ToolMessage("a", "calculate", "2"),
        AssistantMessage("It is 2."),
        UserMessage("Sure?"),
    ),
    tools=(TOOL,),
)

Make = Callable[[str], LiteLLMClient]


@pytest.fixture
async def make(server: ModelServer) -> AsyncIterator[Make]:
    made: list[LiteLLMClient] = []

    def make(provider: str) -> LiteLLMClient:
        if provider in ("anthropic", "gemini"):
            made.append(litellm_client(provider, server))
        else:
            names = Names("OTHER_API_KEY", "OTHER_API_BASE")
            made.append(
                LiteLLMClient(provider, KEY, api_base=server.base_url, names=names, pauses=(0.01,))
            )
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


async def test_anthropic_gets_its_own_format(make: Make, server: ModelServer) -> None:
    await everything(make("anthropic"), FULL)
    body = server.requests[0].body
    assert server.requests[0].headers["x-api-key"] == KEY
    assert server.requests[0].asked.system == "Be short."
    assert [message["role"] for message in body["messages"]] == ["user", "assistant"] * 2 + ["user"]
    called, result = body["messages"][1]["content"][0], body["messages"][2]["content"][0]
    assert (called["type"], called["id"], called["input"]) == (
        "tool_use",
        "a",
        {"expression": "1+1"},
    )
    assert (result["type"], result["tool_use_id"]) == ("tool_result", "a")
    assert body["tools"][0]["name"] == "calculate"
    assert body["stream"] is True


async def test_gemini_gets_its_own_format(make: Make, server: ModelServer) -> None:
    await everything(make("gemini"), replace(FULL, model="gemini-2.5-flash"))
    request = server.requests[0]
    assert request.headers["x-goog-api-key"] == KEY
    assert request.asked.system == "Be short."
    assert [content["role"] for content in request.body["contents"]][:2] == ["user", "model"]
    assert request.body["contents"][1]["parts"][0]["function_call"]["name"] == "calculate"


async def test_the_results_of_tools_may_come_without_the_tools(
    make: Make, server: ModelServer
) -> None:
    assert (await everything(make("anthropic"), replace(FULL, tools=())))[-1] == Stop("stop")
    assert server.requests[0].body["tools"], "Anthropic insists on some"


async def test_connections_are_reused(
    make: Make, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.litellm.call.AFTER_DONE", 20)
    client = make("anthropic")
    for _ in range(3):
        await everything(client)
    assert len({request.peer for request in server.requests}) == 1


async def test_an_answer_may_repeat_itself(make: Make, server: ModelServer) -> None:
    server.script("m", *["again "] * 150)
    assert len(await everything(make("anthropic"))) == 151


async def test_an_unreachable_provider() -> None:
    with ModelServer() as gone:
        client = litellm_client("anthropic", gone)
    with pytest.raises(ModelError, match=r"cannot be reached.*ANTHROPIC_API_BASE") as caught:
        await everything(client)
    assert "127.0.0.1" not in caught.value.message
    await client.aclose()


async def test_an_unwatched_provider(make: Make, server: ModelServer) -> None:
    server.script("m", "Hel", "lo", Tokens(3, 2))
    answer = await everything(make("hosted_vllm"))
    assert answer == [Text("Hel"), Text("lo"), Usage(3, 2), Stop("stop")]


async def test_unwatched_missing_counts_are_not_made_up(make: Make, server: ModelServer) -> None:
    server.script("m", "Hello")
    assert await everything(make("hosted_vllm")) == [Text("Hello"), Stop("stop")]


async def test_unwatched_the_reason_is_in_the_servers_words(
    make: Make, server: ModelServer
) -> None:
    server.script("m", Status(400, '{"error": {"message": "Not on Sundays"}}'))
    with pytest.raises(ModelError) as caught:
        await everything(make("hosted_vllm"))
    assert caught.value.details == "400: Not on Sundays"


async def test_unwatched_a_requested_wait_is_observed(make: Make, server: ModelServer) -> None:
    server.script("m", Status(429, headers={"Retry-After": "1"}))
    server.script("m", "Hello")
    began = time.monotonic()
    answer = await everything(make("hosted_vllm"))
    assert answer[0] == Waiting("Rate-limited, trying again in 1 s (2 of 2)")
    assert answer[1] == Text("Hello")
    assert time.monotonic() - began >= 1


async def test_unwatched_a_server_without_tools_is_asked_without_them(
    make: Make, server: ModelServer
) -> None:
    server.script("m", Status(400, '{"error": {"message": "m does not support tools"}}'))
    server.script("m", "Hello")
    answer = await everything(make("hosted_vllm"), replace(FULL, model="m"))
    assert Text("Hello") in answer
    assert any(isinstance(event, Remark) for event in answer)
    assert "tools" not in server.requests[1].body


async def test_unwatched_unreachable_provider() -> None:
    with ModelServer() as gone:
        url = gone.base_url
    names = Names("OTHER_API_KEY", "OTHER_API_BASE")
    client = LiteLLMClient("hosted_vllm", KEY, api_base=url, names=names, pauses=())
    with pytest.raises(ModelError, match=r"cannot be reached.*OTHER_API_BASE") as caught:
        await everything(client)
    assert "127.0.0.1" not in caught.value.message + caught.value.details
    await client.aclose()


@pytest.mark.parametrize("end", [Cut(), End()], ids=["cut", "ended"])
async def test_unwatched_half_an_answer_is_a_failure(
    make: Make, server: ModelServer, end: Cut | End
) -> None:
    server.script("m", "a", end)
    with pytest.raises(ModelError, match="cut off"):
        await everything(make("hosted_vllm"))


async def test_unwatched_a_refused_key_is_named(make: Make, server: ModelServer) -> None:
    server.script("m", Status(401))
    with pytest.raises(ModelError, match="Check OTHER_API_KEY"):
        await everything(make("hosted_vllm"))


async def test_litellms_own_errors_have_no_status(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        async def acompletion(self, **_: object) -> None:
            raise LookupError(KEY)

    monkeypatch.setattr(importing, "load", Failing)
    for provider in ("hosted_vllm", "anthropic"):
        with pytest.raises(ModelError) as caught:
            await everything(make(provider))
        assert caught.value.message == "The request could not be made. The log has the details."
        assert caught.value.details == ""
    assert caplog.text.count("LookupError") == 2
    assert KEY not in caplog.text


@pytest.mark.parametrize("trouble", [RuntimeError, asyncio.CancelledError])
async def test_the_stream_is_closed_even_if_closing_the_connection_fails(
    trouble: type[BaseException],
) -> None:
    closed = []

    class Torn:
        async def aclose(self) -> None:
            raise trouble

    class Stream:
        async def aclose(self) -> None:
            closed.append(self)

    call = Call(None, None, Patience(Limits()))
    call.wire, call._stream = Torn(), Stream()  # type: ignore[assignment]
    with pytest.raises(trouble):
        await call.aclose()
    assert closed


async def test_unwatched_closing_closes_the_connection(make: Make, server: ModelServer) -> None:
    server.script("m", "first", Silence())
    async with aclosing(make("hosted_vllm").stream(ask())) as events:
        assert await anext(events) == Text("first")
    await server.requests[0].closed()
