"""A request's options, as a server demands them."""

from __future__ import annotations

import pytest

from chat.llm.base import (
    Opaque,
    Request,
    UserMessage,
)
from chat.llm.catalogue import providers
from chat.llm.demands import Demands
from chat.llm.openai.wire import body_of
from tests.llm.test_openai_wire import HERE, TOOL, a_round

FULL = Request(
    "m", (UserMessage("hi"),), tools=(TOOL,), max_output_tokens=100, temperature=0.5
)  # fmt: skip


def test_options_are_sent_as_they_are_demanded() -> None:
    whole = body_of(FULL, Demands(), HERE)
    assert whole["max_tokens"] == 100
    assert whole["temperature"] == 0.5
    assert whole["stream_options"] == {"include_usage": True}
    assert whole["tools"][0]["function"]["name"] == "calculate"
    newer = body_of(FULL, Demands(answer_limit="max_completion_tokens"), HERE)
    assert newer["max_completion_tokens"] == 100
    assert "max_tokens" not in newer
    least = Demands(tools=False, stream_options=False, temperature=False, answer_limit="")
    assert body_of(FULL, least, HERE).keys() == {"model", "messages", "stream"}


# --- providers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "provider"),
    [
        ("https://api.mistral.ai/v1", "mistral"),
        ("https://API.deepseek.com/beta", "deepseek"),
        ("https://key@api.groq.com:443/openai/v1/", "groq"),
    ],
)
def test_a_configured_server_with_a_known_address_gets_its_demands(
    base_url: str, provider: str
) -> None:
    assert providers.demands_of(base_url) == providers.named(provider).demands != Demands()


@pytest.mark.parametrize("base_url", ["http://localhost:8000/v1", "api.mistral.ai", ""])
def test_any_other_server_gets_the_defaults(base_url: str) -> None:
    assert providers.demands_of(base_url) == Demands()


def test_the_request_to_mistral() -> None:
    """Mistral refuses any field outside its schema."""
    part = Opaque("reasoning_content", HERE, "Hm.")
    said = (UserMessage("6*7?"), *a_round(of_message=(part,)), UserMessage("And?"))
    request = Request("m", said, tools=(TOOL,), max_output_tokens=9, temperature=0.5)
    body = body_of(request, providers.named("mistral").demands, HERE)
    assert set(body) == {"model", "messages", "stream", "tools", "max_tokens", "temperature"}
    question, call, result, bridge, _ = body["messages"]
    assert set(call) == {"role", "content", "tool_calls"}
    assert set(result) == {"role", "content", "tool_call_id"}
    assert [question["role"], bridge["role"]] == ["user", "assistant"]
    assert len(result["tool_call_id"]) == 9
