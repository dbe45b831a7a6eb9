"""Messages, tool calls and the live turn, as the wire shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, Self

from chat.protocol.data import Data

TurnStatus = Literal["thinking", "responding", "tool_calling", "waiting_approval"]


class UsageView(Data):
    """Tokens of an answer, all its rounds together."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cost: float | None = None
    """US dollars, where the price is known."""

    left_out = frozenset({"cost"})

    @classmethod
    def of(
        cls,
        input_tokens: int | None,
        output_tokens: int | None,
        cached_tokens: int | None,
        cost: Decimal | None,
    ) -> Self | None:
        """Make a view of what was counted; None if no tokens were."""
        if input_tokens is None or output_tokens is None:
            return None
        return cls(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens or 0,
            cost=None if cost is None else float(cost),
        )


class ToolCallView(Data):
    """A tool call as a page shows it."""

    call_id: str
    name: str
    arguments: dict[str, Any]
    status: str
    """One of `CallStatus` (`chat/models/tools.py`)."""
    content: str | None = None
    """The result, once there is one."""
    truncated: bool | None = None
    """The result or the arguments are cut: `/api/chat/sessions/…/messages/…` has the whole."""
    is_error: bool = False
    offset: int = 0
    """Length of the answer's text, in code points, when the call was made."""
    edited_arguments: dict[str, Any] | None = None
    """What a person put in their place."""
    seconds: float | None = None
    """How long it ran, once that is over."""

    left_out = frozenset({"truncated", "edited_arguments", "seconds"})


class MessageView(Data):
    """A message as the socket, the page and the export show it."""

    id: str
    parent_id: str | None
    siblings: tuple[str, ...]
    """Ids of this message and of its other versions, oldest first; of very many those around it."""
    version: int | None = None
    """Which one this is, from 1, and `versions` how many there are: where not all are named."""
    versions: int | None = None
    role: Literal["user", "assistant"]
    content: str
    truncated: bool | None = None
    client_id: str | None = None
    """Of a user message that came with one."""
    reasoning: str | None = None
    """The model's visible reasoning, where it showed one; cut like `content`."""
    tool_calls: tuple[ToolCallView, ...] = ()
    calls: int | None = None
    """How many it has, where `tool_calls` are not all: the first and the last ones."""
    status: str
    """Of an answer: `queued`, `running`, `waiting` or its outcome. A user message is `completed`."""
    model: str | None = None
    usage: UsageView | None = None
    error: str | None = None
    """Why an answer failed, or is cut short though it is `completed`, in words for people."""
    error_details: str | None = None
    """The status and the model server's own message, without keys and addresses."""
    note: str | None = None
    """What else is to be said of an answer: what was left out of what was asked."""
    context_tokens: int | None = None
    """What the last request and its answer took of the model's context."""
    context_window: int | None = None
    """What it holds, where that is known."""
    created_at: str
    """ISO 8601, UTC."""

    left_out = frozenset(
        {
            "truncated",
            "version",
            "versions",
            "calls",
            "client_id",
            "reasoning",
            "error",
            "error_details",
            "note",
            "context_tokens",
            "context_window",
        }
    )


class TurnView(Data):
    """The live turn, so far."""

    message_id: str
    content: str
    truncated: bool | None = None
    """`content` is cut: the messages over HTTP have all that is written so far."""
    length: int | None = None
    """Then: code points of all of it, as of this snapshot."""
    reasoning: str | None = None
    status: TurnStatus
    tool_calls: tuple[ToolCallView, ...] = ()
    calls: int | None = None
    """As of a message."""
    queued: int
    """Sends that wait behind it."""
    note: str | None = None
    """What it waits for, as in `status`."""
    since: str | None = None

    left_out = frozenset({"truncated", "length", "calls", "reasoning", "note", "since"})
