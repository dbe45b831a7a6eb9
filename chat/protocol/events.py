"""The events of a conversation, each with its data."""

from __future__ import annotations

from typing import Any, Literal

from chat.protocol.data import Data, Frame
from chat.protocol.views import MessageView, TurnStatus, TurnView


class Event(Frame):
    """Anything else in a conversation."""

    type: Literal["event"] = "event"
    event: str
    data: Data


class SessionCreatedData(Data):
    session_id: str
    title: str
    model: str
    resumed: bool
    messages: tuple[MessageView, ...]
    seq: int
    """The last frame that this snapshot includes."""
    turn: TurnView | None


class SessionCreated(Event):
    """The connection is subscribed; a snapshot of the conversation."""

    event: Literal["session_created"] = "session_created"
    data: SessionCreatedData


class MessageCreatedData(Data):
    message_id: str
    role: Literal["user"] = "user"
    content: str
    client_id: str | None = None

    left_out = frozenset({"client_id"})


class MessageCreated(Event):
    """A user message was stored."""

    event: Literal["message_created"] = "message_created"
    data: MessageCreatedData


class ToolCallData(Data):
    call_id: str
    name: str
    arguments: dict[str, Any]
    truncated: bool | None = None
    """The arguments are cut, and are under `_raw`."""

    left_out = frozenset({"truncated"})


class ToolCalled(Event):
    """The model asks for a tool."""

    event: Literal["tool_call"] = "tool_call"
    data: ToolCallData


class ToolApprovalRequested(Event):
    """A call waits for a person."""

    event: Literal["tool_approval_request"] = "tool_approval_request"
    data: ToolCallData


class ApprovalResolvedData(Data):
    call_id: str
    approved: bool


class ApprovalResolved(Event):
    """A pending call was decided, on whichever page."""

    event: Literal["approval_resolved"] = "approval_resolved"
    data: ApprovalResolvedData


class ToolProgressData(Data):
    call_id: str
    content: str


class ToolProgress(Event):
    """A running tool reports its progress."""

    event: Literal["tool_progress"] = "tool_progress"
    data: ToolProgressData


class ToolResultData(Data):
    call_id: str
    name: str
    content: str
    is_error: bool
    truncated: bool | None = None
    """`content` is cut."""

    left_out = frozenset({"truncated"})


class ToolFinished(Event):
    """A tool call has a result."""

    event: Literal["tool_result"] = "tool_result"
    data: ToolResultData


class ReasoningData(Data):
    content: str


class ReasoningPiece(Event):
    """A piece of the model's visible reasoning."""

    event: Literal["reasoning"] = "reasoning"
    data: ReasoningData


class StatusData(Data):
    status: TurnStatus
    message_id: str
    note: str | None = None
    """The reason of a wait, for people."""
    since: str | None = None
    """When it began: ISO 8601, UTC."""

    left_out = frozenset({"note", "since"})


class StatusChanged(Event):
    """The live turn's current activity."""

    event: Literal["status"] = "status"
    data: StatusData


class BlockData(Data):
    message_id: str
    index: int
    """From 0, within the message."""
    html: str
    """Rendered and safe."""
    end: int
    """Length of the answer's text that blocks cover so far, in code points."""


class BlockFinished(Event):
    """A finished block of the answer, for connections that asked for `render`."""

    event: Literal["block"] = "block"
    data: BlockData


class BranchData(Data):
    message_id: str


class BranchChanged(Event):
    """The current branch is now the one that ends at this message."""

    event: Literal["branch"] = "branch"
    data: BranchData


class TitleData(Data):
    session_id: str
    title: str


class TitleChanged(Event):
    """The title changed. Sent to every connection of the owner."""

    event: Literal["title"] = "title"
    data: TitleData


class ConversationChangedData(Data):
    session_id: str


class ConversationChanged(Event):
    """It was pinned, archived, read, or the reverse. Sent to every connection of the owner."""

    event: Literal["conversation_changed"] = "conversation_changed"
    data: ConversationChangedData


class ConversationDeletedData(Data):
    session_id: str


class ConversationDeleted(Event):
    """The conversation was deleted. Sent to every connection of the owner."""

    event: Literal["conversation_deleted"] = "conversation_deleted"
    data: ConversationDeletedData
