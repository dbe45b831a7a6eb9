"""Requests to an OpenAI-compatible server: refusals, waits and notes."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from chat.errors import ContextFull, ModelError, ModelLoading
from chat.llm.base import Remark, Request, Stop, Text, ToolSpec, UserMessage, Waiting
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import KEY, PATIENT, ask, everything, failure, visible
from tests.support.model_server import (
    Call,
    Chunk,
    Cut,
    ModelServer,
    Pause,
    Raw,
    Status,
    Step,
)

pytestmark = pytest.mark.anyio

TOOL = ToolSpec("calculate", "Works out a sum.", {"type": "object", "properties": {}})
WITH_TOOLS = replace(ask(), tools=(TOOL,))
FULL = Request("m", (UserMessage("1+1?"),), (TOOL,), max_output_tokens=100, temperature=0.5)
DONE = [Text("there"), Stop("stop")]
NO_TOOLS = Remark("This model's server does not support tools, so it answered without them.")


def refused(message: str, status: int = 400) -> Status:
    return Status(status, json.dumps({"error": {"message": message}}))


# --- what a server refuses --------------------------------------------------------------------------


async def test_refused_tools_are_left_out_with_one_remark(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", refused("No endpoints found that support tool use.", 404))
    server.default = ("there",)
    assert await everything(client, WITH_TOOLS) == [NO_TOOLS, *DONE]
    assert await everything(client, WITH_TOOLS) == DONE
    assert ["tools" in request.body for request in server.requests] == [True, False, False]


async def test_another_model_of_the_server_still_gets_tools(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", refused("m does not support tools"))
    await everything(client, WITH_TOOLS)
    await everything(client, replace(WITH_TOOLS, model="n"))
    assert "tools" in server.requests[-1].body


async def test_successive_refusals_are_all_left_out(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", refused("m does not support tools"))
    server.script("m", refused("Unknown field: stream_options", 422))
    server.script("m", refused("Unknown field: max_tokens", 422))
    server.script("m", refused("Unknown field: max_completion_tokens", 422))
    server.script("m", refused("`temperature` is deprecated"))
    server.script("m", "there")
    remarks = [event.text for event in await everything(client, FULL) if isinstance(event, Remark)]
    assert [words.split(" does not support ")[1] for words in remarks] == [
        "tools, so it answered without them.",
        "a temperature, so it answered without one.",
        "an answer limit, so it answered without one.",
    ]
    assert server.requests[-1].body == {
        "model": "m",
        "messages": [{"role": "user", "content": "1+1?"}],
        "stream": True,
    }


async def test_a_persistent_refusal_is_reported_and_not_remembered(
    client: OpenAIClient, server: ModelServer
) -> None:
    for _ in range(2):
        server.script("m", refused("tools are not supported on Sundays"))
    assert (await failure(client, WITH_TOOLS)).details == "400: tools are not supported on Sundays"
    await everything(client, WITH_TOOLS)
    assert ["tools" in request.body for request in server.requests] == [True, False, True]


async def test_a_full_context_leaves_no_field_out(
    client: OpenAIClient, server: ModelServer
) -> None:
    words = "maximum context length is 8192 tokens, reduce the length of messages or max_tokens"
    server.script("m", refused(words))
    error = await failure(client, FULL)
    assert isinstance(error, ContextFull)
    assert error.window == 8192
    assert len(server.requests) == 1


async def test_a_full_context_may_be_reported_in_the_stream(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", Chunk({"error": {"code": "context_length_exceeded", "message": "Full"}}))
    assert isinstance(await failure(client), ContextFull)


# --- what passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "note"),
    [
        (Status(429), "Rate-limited, trying again in 1 s (2 of 3)"),
        (Status(529), "Overloaded, trying again in 1 s (2 of 3)"),
        (Status(500), "Server error, trying again in 1 s (2 of 3)"),
        (Cut(), "No connection, trying again in 1 s (2 of 3)"),
    ],
)
async def test_a_wait_comes_with_its_reason(
    client: OpenAIClient, server: ModelServer, status: Step, note: str
) -> None:
    server.script("m", status)
    server.script("m", "there")
    assert await everything(client) == [Waiting(note), *DONE]


async def test_the_message_may_name_the_wait(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", refused("Please try again in 300ms.", 429))
    server.script("m", "there")
    began = time.monotonic()
    await everything(client)
    assert time.monotonic() - began >= 0.3


async def test_an_exhausted_quota_is_not_retried(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", Status(429, '{"error": {"code": "insufficient_quota", "message": "x"}}'))
    assert "credit" in (await failure(client)).message
    assert len(server.requests) == 1


LOADING = refused("Loading model", 503)


async def test_a_loading_model_is_waited_for(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.retry.WHILE_LOADING", 0.01)
    client = OpenAIClient(server.base_url, KEY, pauses=())
    for _ in range(5):
        server.script("m", LOADING)
    server.script("m", "there")
    assert await everything(client) == [Waiting("The model is loading"), *DONE]
    await client.aclose()


async def test_a_model_that_never_loads_is_an_error(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.retry.WHILE_LOADING", 1)
    server.default = (LOADING,)
    client = OpenAIClient(server.base_url, KEY, limits=Limits(PATIENT, 1.5), pauses=())
    error = await failure(client)
    assert isinstance(error, ModelLoading)
    assert error.details == "503: Loading model"
    await client.aclose()


async def test_cancelling_ends_a_wait_at_once(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", Status(429, headers={"Retry-After": "10"}))
    waiting = asyncio.Event()

    async def read() -> None:
        async with aclosing(client.stream(ask())) as events:
            async for _ in events:
                waiting.set()

    task = asyncio.create_task(read())
    await waiting.wait()
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    assert len(server.requests) == 1


async def test_a_request_that_may_have_been_received_is_not_sent_again_later(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.retry.AT_ONCE", 0.1)
    server.script("m", Pause(0.3), Cut())
    assert "cut off" in (await failure(client)).message
    assert len(server.requests) == 1


async def test_all_attempts_share_the_limit_for_the_first_word(server: ModelServer) -> None:
    server.default = (Pause(0.3), Status(500))
    limits = Limits(PATIENT, 0.5)
    client = OpenAIClient(server.base_url, KEY, limits=limits, pauses=[0.01] * 9)
    assert "wrote nothing for 0.5" in (await failure(client)).message
    await client.aclose()


# --- reasons ----------------------------------------------------------------------------------------


async def test_a_reason_never_contains_the_key_or_the_address(
    client: OpenAIClient, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script("m", refused(f"The key {KEY} is not known at {server.base_url}", 401))
    error = await failure(client)
    assert error.details == "401: The key … is not known at …"
    assert KEY not in caplog.text
    assert "127.0.0.1" not in caplog.text


async def test_an_error_in_the_stream_is_redacted(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", "a", Chunk({"error": {"code": 502, "message": f"{server.root} is away"}}))
    error = await failure(client)
    assert "internal error" in error.message
    assert error.details == "502: http://… is away"


async def test_a_failed_connection_is_explained() -> None:
    with ModelServer() as gone:
        address = gone.base_url
    client = OpenAIClient(address, KEY, pauses=())
    error = await failure(client)
    assert "cannot be reached" in error.message
    assert error.details == "Connection refused"
    with pytest.raises(ModelError) as caught:
        await client.list_models()
    assert caught.value.details == "Connection refused"
    await client.aclose()


async def test_a_call_counts_as_the_first_word(server: ModelServer) -> None:
    server.script("m", Call("calculate", "{}"), Raw(b": wait\n\n"), Pause(0.6), "late")
    client = OpenAIClient(server.base_url, KEY, limits=Limits(PATIENT, 0.3))
    events = visible(await everything(client))
    assert Text("late") in events
    assert events[-1] == Stop("tool_calls")
    await client.aclose()


async def test_a_refused_value_is_left_out_of_one_request_only(
    client: OpenAIClient, server: ModelServer
) -> None:
    words = "max_tokens is too large: 100. This model supports at most 50 completion tokens"
    for _ in range(2):
        server.script("m", Status(400, f'{{"error": {{"message": "{words}"}}}}'))
        events = await everything(client, Request("m", (UserMessage("hi"),), max_output_tokens=100))
        assert (
            Remark(
                "This model's server did not accept this answer limit, so it answered without one."
            )
            in events
        )


async def test_no_redirect_is_followed(client: OpenAIClient, server: ModelServer) -> None:
    with ModelServer() as other:
        server.script("m", Status(307, "", headers={"Location": f"{other.base_url}/x"}))
        with pytest.raises(ModelError, match=r"redirects to 127\.0\.0\.1") as error:
            await everything(client, ask())
        assert f"{urlsplit(other.base_url).netloc}, which" in str(error.value)
        assert other.requests == []


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://me:secret@new.example/v1?key=sk-1234567890abcdef", "to new.example, which"),
        ("//new.example:8443/v1", "to new.example:8443, which"),
        ("/v2/chat", "to another address of its own, which"),
        ("http://[", "to another address of its own, which"),
    ],
)
async def test_a_redirect_names_the_new_host_but_no_secret(
    client: OpenAIClient, server: ModelServer, address: str, named: str
) -> None:
    server.script("m", Status(301, "", headers={"Location": address}))
    with pytest.raises(ModelError) as error:
        await everything(client, ask())
    assert named in str(error.value)
    assert "secret" not in f"{error.value} {error.value.details}"
