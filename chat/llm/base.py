"""The one interface between the turn engine and a model.

Values only: what is asked (`Request`), what comes back piece by piece (`StreamEvent`), and the
shape of a client. No ORM, no HTTP. `turns/exchanges.py` turns rows into these values; each other
module of this package speaks one provider's protocol.
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
    """A part of an answer that only its sender reads, and wants back: signatures, sealed reasoning.

    It belongs to a call, or to a request's answer as a whole.
    """

    kind: str
    """What it is to the client that yielded it. Nobody else looks into it."""
    source: str
    """The server and model that sent it (`ModelClient.source`): no other is given it."""
    data: str
    """Text that can be stored, usually JSON."""


CALL_ID = "call_id"
"""The kind of a call's own id, kept by the engine where a shorter one stands in its place."""


@dataclass(frozen=True, slots=True)
class Thought:
    """What this request's answer said so far turned out to be reasoning; it stays in the text.

    For a closing `</think>` that no opening one came before.
    """


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing comes yet, and why: a sentence for people, without a full stop."""

    note: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of the whole answer: a sentence for people, such as what was left out."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A complete tool call; a client joins the fragments that a provider streams."""

    call_id: str
    """As the provider gave it, of any length."""
    name: str
    arguments: str
    """JSON text as the model wrote it: it may be invalid. Empty arguments are `{}`."""
    opaque: tuple[Opaque, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, as the provider counts them."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The model says that it is done. Always the last event; a stream without one has failed."""

    reason: Literal["stop", "length", "context", "tool_calls", "content_filter"]
    """`length` is the limit of one answer, `context` a full context window."""


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
    """What a model is told of a tool."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments, an object."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model."""

    model: str
    """The provider's own name of the model."""
    messages: tuple[ModelMessage, ...]
    """Valid by construction: every tool call is followed by its result."""
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None


class ModelClient(Protocol):
    """One provider."""

    def source(self, model: str) -> str:
        """Names this server and one of its models, without a secret: `host/model`."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        """The answer as it arrives, ended by `Stop`.

        Raises `ModelError` with a text for people when anything goes wrong, whatever was yielded
        before; `ContextFull` when the messages are more than the model takes. Cancelling the task
        that iterates, or closing the generator, closes the upstream connection at once: iterate
        under `contextlib.aclosing`.
        """
        ...
