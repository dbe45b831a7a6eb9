"""A model server per test, and the clients that must all keep the same contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from chat.errors import ModelError
from chat.llm.base import ModelClient, Opaque, Request, StreamEvent, UserMessage, Waiting
from chat.llm.failures.errors import Names
from chat.llm.litellm import importing
from chat.llm.litellm.client import LiteLLMClient
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream import connection
from chat.llm.stream.limits import Limits
from tests.support.model_server import ModelServer, Step

KEY = "sk-very-secret"
PATIENT = 20
"""Seconds: no test is about so long a silence."""
HASTY = 0.5
CALM = Limits(PATIENT, PATIENT)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _imported() -> None:
    """Import the SDK first, so that no test's time limit includes it."""
    connection.load()


@pytest.fixture(scope="session")
def litellm_imported() -> None:
    """Import LiteLLM first, for the same reason; this takes seconds."""
    importing.load()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def ask(text: str = "hello", model: str = "m") -> Request:
    return Request(model, (UserMessage(text),))


async def everything(client: ModelClient, request: Request | None = None) -> list[StreamEvent]:
    async with aclosing(client.stream(request or ask())) as events:
        return [event async for event in events]


def visible(events: Iterable[StreamEvent]) -> list[StreamEvent]:
    """Return the events without notes and opaque parts."""
    return [event for event in events if not isinstance(event, Waiting | Opaque)]


@dataclass
class Provider:
    """A client and its server. Every provider runs the same contract tests."""

    client: ModelClient
    hasty: ModelClient
    """A client with a short limit on silence."""
    eager: ModelClient
    """A client with a short limit on the wait for the first word."""
    server: ModelServer
    names: Names
    kind: str
    keeps_call_ids: bool = True
    """Gemini's calls have no ids of their own."""

    async def answer(self, *steps: Step, bytewise: bool = False) -> list[StreamEvent]:
        self.server.script("m", *steps, bytewise=bytewise)
        return await everything(self.client)

    async def failure(
        self, *steps: Step, client: ModelClient | None = None
    ) -> tuple[list[StreamEvent], ModelError]:
        """Return the events before the error, and the error."""
        self.server.script("m", *steps)
        seen: list[StreamEvent] = []
        try:
            async with aclosing((client or self.client).stream(ask())) as events:
                async for event in events:
                    seen.append(event)
        except ModelError as error:
            return seen, error
        raise AssertionError(f"no failure, but {seen}")


def litellm_client(
    provider: str, server: ModelServer, *, limits: Limits = CALM, key: str | None = KEY
) -> LiteLLMClient:
    base = {"anthropic": server.root, "gemini": f"{server.root}/v1beta"}[provider]
    names = Names(f"{provider.upper()}_API_KEY", f"{provider.upper()}_API_BASE")
    return LiteLLMClient(
        provider,
        key,
        api_base=base,
        names=names,
        limits=limits,
        pauses=(0.01, 0.01),
    )


def client_of(
    kind: str, server: ModelServer, limits: Limits = CALM
) -> OpenAIClient | LiteLLMClient:
    if kind != "openai":
        return litellm_client(kind, server, limits=limits)
    return OpenAIClient(server.base_url, KEY, limits=limits, pauses=(0.01, 0.01))


@pytest.fixture(
    params=[
        "openai",
        pytest.param("anthropic", marks=pytest.mark.slow),
        pytest.param("gemini", marks=pytest.mark.slow),
    ]
)
async def provider(request: pytest.FixtureRequest, server: ModelServer) -> AsyncIterator[Provider]:
    if request.param != "openai":
        request.getfixturevalue("litellm_imported")
    client = client_of(request.param, server)
    hasty = client_of(request.param, server, Limits(HASTY, PATIENT))
    eager = client_of(request.param, server, Limits(PATIENT, HASTY))
    keeps = request.param != "gemini"
    yield Provider(client, hasty, eager, server, client.names, request.param, keeps_call_ids=keeps)
    for each in (client, hasty, eager):
        await each.aclose()


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[OpenAIClient]:
    made = OpenAIClient(server.base_url, KEY, limits=Limits(PATIENT, PATIENT), pauses=(0.01, 0.01))
    yield made
    await made.aclose()


async def failure(client: OpenAIClient, request: Request | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await everything(client, request)
    return caught.value
