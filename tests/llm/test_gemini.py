"""Gemini's answers, and the parts that it wants back, through LiteLLM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from chat.errors import ModelError
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Reasoning,
    Request,
    Stop,
    StreamEvent,
    Text,
    ToolMessage,
    ToolRequest,
    ToolSpec,
    Usage,
    UserMessage,
)
from chat.llm.litellm.client import LiteLLMClient
from tests.llm.conftest import ask, everything, litellm_client
from tests.support.model_server import Chunk, End, ModelServer, Raw
from tests.support.model_server.gemini_format import parts

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("litellm_imported")]

MODEL = "gemini-3-pro"
TOOL = ToolSpec("calculate", "Works out a sum.", {"type": "object", "properties": {}})
SIX, SEVEN = {"expression": "6*7"}, {"expression": "7*7"}
SIGNATURE = "U2lnbmVk" * 100


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[LiteLLMClient]:
    made = litellm_client("gemini", server)
    yield made
    await made.aclose()


def call(arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": "calculate", "args": arguments}, **more}


async def calls_of(client: LiteLLMClient) -> tuple[ToolRequest, ...]:
    events = await everything(client, ask(model=MODEL))
    return tuple(event for event in events if isinstance(event, ToolRequest))


async def given_back(
    client: LiteLLMClient, server: ModelServer, calls: tuple[ToolRequest, ...], model: str = MODEL
) -> list[dict[str, Any]]:
    """Return the calls and results as sent back to Gemini."""
    results = [ToolMessage(each.call_id, each.name, "42") for each in calls]
    answer = AssistantMessage("", calls)
    messages: tuple[ModelMessage, ...] = (UserMessage("Please."), answer, *results)
    await everything(client, Request(model, messages, tools=(TOOL,)))
    _, called, answered = server.requests[-1].body["contents"]
    assert len(called["parts"]) == len(answered["parts"]), "each call has its result"
    found: list[dict[str, Any]] = called["parts"]
    return found


async def test_a_signature_goes_back_with_its_call(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script(MODEL, parts(call(SIX, thoughtSignature=SIGNATURE), call(SEVEN)))
    calls = await calls_of(client)
    assert all(len(each.call_id) <= 40 for each in calls)
    first, second = await given_back(client, server, calls)
    assert first["thoughtSignature"] == SIGNATURE
    assert "thoughtSignature" not in second


async def test_a_signature_is_not_sent_to_another_model(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script(MODEL, parts(call(SIX, thoughtSignature=SIGNATURE)))
    calls = await calls_of(client)
    assert "thoughtSignature" not in (await given_back(client, server, calls, "gemini-2.5-pro"))[0]


async def test_another_process_gives_a_signature_back(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script(MODEL, parts(call(SIX, thoughtSignature=SIGNATURE)))
    calls = await calls_of(client)
    later = litellm_client("gemini", server)
    assert (await given_back(later, server, calls))[0]["thoughtSignature"] == SIGNATURE
    await later.aclose()


async def test_ids_of_calls_are_kept(client: LiteLLMClient, server: ModelServer) -> None:
    part = call({}, thoughtSignature=SIGNATURE)
    part["functionCall"]["id"] = "8f3k2"
    server.script(MODEL, parts(part, finish="STOP"))
    assert [each.call_id for each in await calls_of(client)] == ["8f3k2"]


async def test_a_call_may_have_no_arguments(client: LiteLLMClient, server: ModelServer) -> None:
    server.script(MODEL, parts({"functionCall": {"name": "current_time"}}))
    assert [each.arguments for each in await calls_of(client)] == ["{}"]


async def test_two_equal_calls_are_both_sent(client: LiteLLMClient, server: ModelServer) -> None:
    server.script(MODEL, parts(call(SIX), call(SIX)))
    assert len(await given_back(client, server, await calls_of(client))) == 2


async def test_thoughts_are_reasoning_and_count_as_output(
    client: LiteLLMClient, server: ModelServer
) -> None:
    counts = {"promptTokenCount": 11, "candidatesTokenCount": 4, "thoughtsTokenCount": 3}
    server.script(
        MODEL,
        parts({"text": "Hm.", "thought": True}),
        parts({"text": "Hello"}),
        parts({"text": "", "thoughtSignature": "c2ln"}, finish="STOP", usageMetadata=counts),
        End(),
    )
    answer = await everything(client, ask(model=MODEL))
    assert answer == [Reasoning("Hm."), Text("Hello"), Usage(11, 7), Stop("stop")]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
    ],
)
async def test_how_an_answer_ended(
    client: LiteLLMClient, server: ModelServer, finish: str, reason: Any
) -> None:
    last = Chunk({"candidates": [{"finishReason": finish, "safetyRatings": []}]})
    server.script(MODEL, parts({"text": "Hel"}), last, End())
    assert (await everything(client, ask(model=MODEL)))[-1] == Stop(reason)


BROKEN_OFF = (
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "OTHER",
)


@pytest.mark.parametrize("finish", BROKEN_OFF)
async def test_a_bad_end_after_half_an_answer_is_a_failure(
    client: LiteLLMClient, server: ModelServer, finish: str
) -> None:
    server.script(MODEL, parts({"text": "Hel"}), parts(finish=finish), End())
    seen: list[StreamEvent] = []
    with pytest.raises(ModelError):
        async with aclosing(client.stream(ask(model=MODEL))) as events:
            async for event in events:
                seen.append(event)
    assert seen == [Text("Hel")]
    assert len(server.requests) == 1


async def test_a_malformed_call_is_retried_once(client: LiteLLMClient, server: ModelServer) -> None:
    spoiled = Chunk({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]})
    server.script(MODEL, spoiled, End())
    server.script(MODEL, "Hello")
    assert Text("Hello") in await everything(client, ask(model=MODEL))


async def test_a_call_that_is_malformed_again_is_a_failure(
    client: LiteLLMClient, server: ModelServer
) -> None:
    spoiled = Chunk({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]})
    for _ in range(2):
        server.script(MODEL, spoiled, End())
    with pytest.raises(ModelError):
        await everything(client, ask(model=MODEL))
    assert len(server.requests) == 2


@pytest.mark.parametrize("reason", ["SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "OTHER"])
async def test_a_blocked_question_is_a_withheld_answer(
    client: LiteLLMClient, server: ModelServer, reason: str
) -> None:
    server.script(MODEL, Chunk({"promptFeedback": {"blockReason": reason}}), End())
    with pytest.raises(ModelError, match="withheld"):
        await everything(client, ask(model=MODEL))


async def test_an_error_may_replace_the_stream(client: LiteLLMClient, server: ModelServer) -> None:
    error = (
        b'{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}'
    )
    server.script(MODEL, Raw(error), End())
    with pytest.raises(ModelError, match="overloaded"):
        await everything(client, ask(model=MODEL))


async def test_the_results_of_tools_may_come_without_the_tools(
    client: LiteLLMClient, server: ModelServer
) -> None:
    answer = AssistantMessage("", (ToolRequest("a", "calculate", "{}"),))
    messages = (UserMessage("1+1?"), answer, ToolMessage("a", "calculate", "2"))
    assert (await everything(client, Request(MODEL, messages)))[-1] == Stop("stop")
