"""Messages, tool calls and the live turn, as the wire shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, Self

from chat.protocol.data import Data

TurnStatus = Literal["thinking", "responding", "tool_calling", "waiting_approval"]


class UsageView(Data):
    """Tokens of an answer, summed over its rounds."""

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
    """The result or the arguments are cut: `/api/chat/sessions/…/messages/…` has all of them."""
    is_error: bool = False
    offset: int = 0
    """Length of the answer's text, in code points, when the call was made."""
    edited_arguments: dict[str, Any] | None = None
    """A person's arguments, in place of the model's."""
    seconds: float | None = None
    """How long it ran, once it has ended."""

    left_out = frozenset({"truncated", "edited_arguments", "seconds"})


class MessageView(Data):
    """A message as the socket, the page and the export show it."""

    id: str
    parent_id: str | None
    siblings: tuple[str, ...]
    """Ids of this message and its other versions, oldest first; if there are very many, those around it."""
    version: int | None = None
    """The number of this version, from 1, and in `versions` the total, if not all are named."""
    versions: int | None = None
    role: Literal["user", "assistant"]
    content: str
    truncated: bool | None = None
    client_id: str | None = None
    """On a user message that came with one."""
    reasoning: str | None = None
    """The model's visible reasoning, if any; cut like `content`."""
    tool_calls: tuple[ToolCallView, ...] = ()
    calls: int | None = None
    """The number of its calls, if `tool_calls` has only the first and the last ones."""
    status: str
    """`queued`, `running`, `waiting` or the answer's outcome. A user message is `completed`."""
    model: str | None = None
    usage: UsageView | None = None
    error: str | None = None
    """Why an answer failed, or was cut short although it is `completed`; for people."""
    error_details: str | None = None
    """The status and the model server's own message, without keys and addresses."""
    note: str | None = None
    """Another remark about an answer: what was left out of the request."""
    context_tokens: int | None = None
    """Tokens of the model's context that the last request and its answer took."""
    context_window: int | None = None
    """Tokens that the context holds, if known."""
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
    """`content` is cut: over HTTP the message has all of the text so far."""
    length: int | None = None
    """If so, the code points of all of it, as of this snapshot."""
    reasoning: str | None = None
    status: TurnStatus
    tool_calls: tuple[ToolCallView, ...] = ()
    calls: int | None = None
    """The number of its calls, as in `MessageView`."""
    queued: int
    """Sends that wait behind it."""
    note: str | None = None
    """The reason of a wait, as in `status`."""
    since: str | None = None

    left_out = frozenset({"truncated", "length", "calls", "reasoning", "note", "since"})
