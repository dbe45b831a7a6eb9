"""A LiteLLM provider's model, from the socket to the provider and back."""

from __future__ import annotations

import pytest

from tests.support.client import kind, text
from tests.support.model_server import ModelServer, Think, Tokens
from tests.support.servers import OpenChat, OwnServer

pytestmark = pytest.mark.anyio

CLAUDE = "claude-sonnet-4-20250514"


async def test_a_model_answers_when_its_key_is_set(
    own_server: OwnServer, connect: OpenChat, model_server: ModelServer
) -> None:
    chat = await connect(
        own_server.start(ANTHROPIC_API_KEY="k", ANTHROPIC_API_BASE=model_server.root)
    )
    chat.patience = 60  # LiteLLM is imported meanwhile
    model_server.script(CLAUDE, Think("hm"), "It is ", "84.", Tokens(9, 4))
    frames = await chat.say("12*7?", model=CLAUDE)
    assert text(frames) == "It is 84."
    assert [f["data"]["content"] for f in frames if kind(f) == "reasoning"] == ["hm"]
    assert frames[-1]["status"] == "completed"
    assert frames[-1]["usage"]["input_tokens"] == 9


async def test_a_missing_key_is_named(own_server: OwnServer, connect: OpenChat) -> None:
    nothing = {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "TALOS_DEFAULT_MODEL": ""}
    chat = await connect(own_server.start(**nothing))
    error, done = (await chat.say("hi", model=CLAUDE))[-2:]
    assert error["code"] == "unknown_model"
    assert "ANTHROPIC_API_KEY" in error["content"]
    assert done["status"] == "failed"
    assert text(await chat.say("hi")) != "", "the demo still answers"
