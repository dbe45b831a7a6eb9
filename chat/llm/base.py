"""The one interface between the turn engine and a model.

Values only: the `Request`, the `StreamEvent`s of its answer, and the interface of a client. No ORM,
no HTTP. `turns/exchanges.py` builds these values from rows; the clients in `openai/`, `litellm/`
and `demo/` translate them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, never empty, free of NUL and lone surrogates."""

    content: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's visible reasoning. Never part of the answer."""

    content: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """Part of an answer that only its sender reads and wants back: a signature, sealed reasoning.

    It belongs to a call or to the answer to one request.
    """

    kind: str
    """Interpreted only by the client that yielded it."""
    source: str
    """The server and model that sent it (`ModelClient.source`); it is sent to no other."""
    data: str
    """Storable text, usually JSON."""


CALL_ID = "call_id"
"""The kind that holds a call's own id when the engine has stored a shorter one instead."""


@dataclass(frozen=True, slots=True)
class Thought:
    """Marks this request's text so far as reasoning; the text itself is kept.

    Yielded for a `</think>` without an opening tag.
    """


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why there is no answer yet: a sentence for people, without a full stop."""

    note: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for people about the whole answer, such as what the request left out."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A complete tool call, joined by the client from the fragments that a provider streams."""

    call_id: str
    """As the provider gave it, of any length."""
    name: str
    arguments: str
    """JSON text as the model wrote it; may be invalid. Empty arguments are `{}`."""
    opaque: tuple[Opaque, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, or of several, as the provider counts them."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of the answer. Always the last event; a stream without one has failed."""

    reason: Literal["stop", "length", "context", "tool_calls", "content_filter"]
    """`length`: the answer limit was reached; `context`: the context window is full."""


StreamEvent = Text | Reasoning | Opaque | Thought | Waiting | Remark | ToolRequest | Usage | Stop


@dataclass(frozen=True, slots=True)
class SystemMessage:
    content: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    content: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    content: str
    tool_calls: tuple[ToolRequest, ...] = ()
    opaque: tuple[Opaque, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The result of one call of the assistant message before it."""

    call_id: str
    name: str
    content: str


ModelMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as described to a model."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments, which are an object."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model."""

    model: str
    """The provider's own name for the model."""
    messages: tuple[ModelMessage, ...]
    """Valid by construction: every tool call is followed by its result."""
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None


class ModelClient(Protocol):
    """A client for one provider."""

    def source(self, model: str) -> str:
        """Return an identifier for this server and model, free of secrets: `host/model`."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        """Yield the answer as it arrives, ending with `Stop`.

        Raises `ModelError` with a text for people on any failure, even after the first events;
        `ContextFull` if the messages do not fit into the model's context. Cancelling the iterating
        task, or closing the generator, closes the upstream connection at once: iterate under
        `contextlib.aclosing`.
        """
        ...
