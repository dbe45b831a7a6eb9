"""Claude's answers, and the parts that it wants back, through LiteLLM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from chat.errors import ModelError
from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Opaque,
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
from tests.support.model_server import Chunk, ModelServer, Raw, Status, Step
from tests.support.model_server import anthropic_format as claude

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("litellm_imported")]

SIX, SEVEN = '{"expression": "6*7"}', '{"expression": "7*7"}'
TOOL = ToolSpec("calculate", "Works out a sum.", {"type": "object", "properties": {}})
SEALED = {"type": "redacted_thinking", "data": "c2VhbGVk"}
SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "c2lnMg=="}
SIGNED_ONLY = {"type": "thinking", "thinking": "", "signature": "c2lnMQ=="}


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[LiteLLMClient]:
    made = litellm_client("anthropic", server)
    yield made
    await made.aclose()


def tool_use(call_id: str, arguments: str = SIX) -> dict[str, Any]:
    made = {"type": "tool_use", "id": call_id, "name": "calculate"}
    return {**made, "input": {"expression": arguments[16:19]}}


def as_message(events: list[StreamEvent]) -> AssistantMessage:
    """Return an answer as a message in the history."""
    text = "".join(event.content for event in events if isinstance(event, Text))
    calls = tuple(event for event in events if isinstance(event, ToolRequest))
    return AssistantMessage(
        text, calls, tuple(event for event in events if isinstance(event, Opaque))
    )


async def given_back(
    client: LiteLLMClient, server: ModelServer, answer: AssistantMessage, model: str = "m"
) -> list[dict[str, Any]]:
    """Return the content of that answer as sent back to Claude, with the results of its calls."""
    results = [ToolMessage(call.call_id, call.name, "42") for call in answer.tool_calls]
    messages: tuple[ModelMessage, ...] = (UserMessage("Please."), answer, *results)
    await everything(client, Request(model, messages, tools=(TOOL,)))
    content: list[dict[str, Any]] = server.requests[-1].body["messages"][1]["content"]
    return content


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (
            (claude.thinking("", "c2lnMQ=="), claude.tool_use("a", "calculate", SIX)),
            [SIGNED_ONLY, tool_use("a")],
        ),
        (
            (
                claude.thinking("", "c2lnMQ=="),
                claude.thinking("Hm.", "c2lnMg=="),
                claude.text("So."),
                claude.tool_use("a", "calculate", SIX),
            ),
            [SIGNED_ONLY, SIGNED, {"type": "text", "text": "So."}, tool_use("a")],
        ),
        (
            (claude.block(SEALED), claude.tool_use("a", "calculate", SIX)),
            [SEALED, tool_use("a")],
        ),
        (
            (
                claude.text("Both."),
                claude.thinking("Hm.", "c2lnMg=="),
                claude.tool_use("a", "calculate", SIX),
                claude.block(SEALED),
                claude.tool_use("b", "calculate", SEVEN),
            ),
            [
                {"type": "text", "text": "Both."},
                SIGNED,
                tool_use("a"),
                SEALED,
                tool_use("b", SEVEN),
            ],
        ),
        (
            (claude.block(SIGNED), claude.tool_use("a", "calculate", SIX)),
            [SIGNED, tool_use("a")],
        ),
    ],
    ids=["nothing but a signature", "two", "redacted", "between", "all in its beginning"],
)
async def test_thinking_goes_back_unchanged_and_in_its_place(
    client: LiteLLMClient, server: ModelServer, blocks: Any, expected: list[dict[str, Any]]
) -> None:
    server.script("m", *claude.message(*blocks, stop="tool_use"))
    answer = as_message(await everything(client))
    assert await given_back(client, server, answer) == expected


@pytest.mark.parametrize(
    "torn", [claude.thinking("\ud83d", "c2ln"), claude.block(SEALED | {"data": "\ud83d"})]
)
async def test_half_a_character_in_thinking_does_not_end_the_answer(
    client: LiteLLMClient, server: ModelServer, torn: list[Step]
) -> None:
    server.script("m", *claude.message(torn, claude.text("So.")))
    answer = await everything(client)
    assert Text("So.") in answer
    assert answer[-1] == Stop("stop")
    (blocks,) = [event.data for event in answer if isinstance(event, Opaque)]
    assert "\ufffd" in blocks
    assert blocks.encode()


async def test_thinking_is_not_sent_to_another_model(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script(
        "m", *claude.message(claude.block(SIGNED), claude.tool_use("a", "calculate", SIX))
    )
    answer = as_message(await everything(client))
    assert await given_back(client, server, answer, "another") == [tool_use("a")]


async def test_other_blocks_are_not_sent(client: LiteLLMClient, server: ModelServer) -> None:
    source = client.source("m")
    for data in ("[]", '["x"]', '{"type": "thinking"}', '[{"type": "text", "text": "x"}]', "}"):
        opaque = (Opaque("thinking_blocks", source, data),)
        call = ToolRequest("a", "calculate", SIX)
        answer = AssistantMessage("", (call,), opaque)
        assert await given_back(client, server, answer) == [tool_use("a")]


async def test_an_invalid_place_does_no_harm(client: LiteLLMClient, server: ModelServer) -> None:
    data = '[{"type": "redacted_thinking", "data": "c2VhbGVk", "talos_place": ["a"]}]'
    opaque = (Opaque("thinking_blocks", client.source("m"), data),)
    answer = AssistantMessage("", (ToolRequest("a", "calculate", SIX),), opaque)
    assert await given_back(client, server, answer) == [SEALED, tool_use("a")]


async def test_thinking_is_shown_once(client: LiteLLMClient, server: ModelServer) -> None:
    blocks = (claude.thinking("Hm", "c2ln"), claude.block(SEALED), claude.text("Yes."))
    server.script("m", *claude.message(*blocks))
    shown = [e for e in await everything(client) if isinstance(e, Reasoning | Text)]
    assert shown == [Reasoning("H"), Reasoning("m"), Text("Yes.")]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "context"),
        ("refusal", "content_filter"),
    ],
)
async def test_how_an_answer_ended(
    client: LiteLLMClient, server: ModelServer, stop: str, reason: Any
) -> None:
    server.script("m", *claude.message(claude.text("Hel"), stop=stop))
    assert (await everything(client))[-1] == Stop(reason)


async def test_a_paused_turn_is_not_a_complete_answer(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script("m", *claude.message(claude.text("Hel"), stop="pause_turn"))
    assert await cut_off(client, "stopped the answer early") == [Text("Hel")]


async def cut_off(client: LiteLLMClient, words: str = "cut off") -> list[StreamEvent]:
    """Return the events before the error."""
    seen = []
    with pytest.raises(ModelError, match=words):
        async with aclosing(client.stream(ask())) as events:
            async for event in events:
                seen.append(event)
    return seen


async def test_tokens_written_to_and_read_from_the_cache_count_as_input(
    client: LiteLLMClient, server: ModelServer
) -> None:
    counts = {"input_tokens": 3, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 4}
    server.script("m", *claude.message(claude.text("Hello"), usage={**counts, "output_tokens": 7}))
    assert Usage(12, 7, 4) in await everything(client)


async def test_input_that_is_not_json_goes_back_as_an_object(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script("m", *claude.message(claude.tool_use("a", "calculate", '{"expression": ')))
    answer = as_message(await everything(client))
    assert answer.tool_calls[0].arguments == '{"expression": '
    content = await given_back(client, server, answer)
    assert isinstance(content[0]["input"], dict)


async def test_input_may_be_at_the_start_of_its_block(
    client: LiteLLMClient, server: ModelServer
) -> None:
    server.script("m", *claude.message(claude.block(tool_use("a")), claude.tool_use("b", "now")))
    calls = as_message(await everything(client)).tool_calls
    assert [call.arguments for call in calls] == ['{"expression":"6*7"}', "{}"]


async def test_unknown_events_are_ignored(client: LiteLLMClient, server: ModelServer) -> None:
    strange = Chunk({"type": "context_hint", "hint": {"x": 1}})
    unknown = claude.block({"type": "later"}, {"type": "later_delta", "later": "x"})
    steps = [*claude.begin("m"), Raw(b'event: ping\ndata: {"type": "ping"}\n\n'), strange]
    server.script("m", *steps, *unknown, *claude.text("Hello"), *claude.end("end_turn"))
    assert Text("Hello") in await everything(client)


async def test_a_second_answer_within_the_first_is_a_cut(
    client: LiteLLMClient, server: ModelServer
) -> None:
    steps = [*claude.begin("msg_1"), *claude.text("Hel")[:2], *claude.begin("msg_2")]
    server.script("m", *steps, *claude.text("Hello"), *claude.end("end_turn"))
    assert await cut_off(client) == [Text("Hel")]


async def test_message_start_may_be_sent_twice(client: LiteLLMClient, server: ModelServer) -> None:
    steps = [*claude.begin("msg_1"), *claude.begin("msg_1"), *claude.text("Hello")]
    server.script("m", *steps, *claude.end("end_turn"))
    assert Text("Hello") in await everything(client)


async def test_an_overload_during_an_answer_keeps_the_text(
    client: LiteLLMClient, server: ModelServer
) -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    steps = [*claude.begin("m"), *claude.text("Hel")[:2], Chunk({"type": "error", "error": error})]
    server.script("m", *steps)
    assert await cut_off(client, "overloaded") == [Text("Hel")]


async def test_an_overload_before_an_answer_is_retried(
    client: LiteLLMClient, server: ModelServer
) -> None:
    error = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    server.script("m", Status(529, error))
    server.script("m", "Hello")
    assert Text("Hello") in await everything(client)
