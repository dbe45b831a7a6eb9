"""The actions that a client may send."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from chat.protocol.limits import DEFAULT_CONTEXT


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _context(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON knows one kind of number: 20.0 is 20
    if value == "full" or (type(value) is int and value >= 0):
        return value
    raise ValueError('is a whole number of messages, or "full"')


ClientId = Annotated[str, Field(max_length=64)]
Context = Annotated[int | Literal["full"], BeforeValidator(_context)]
MessageText = Annotated[str, AfterValidator(_not_blank)]


class Action(BaseModel):
    """Something a client asks of us. Unknown keys are ignored: pages outlive deploys."""

    model_config = ConfigDict(frozen=True, strict=True)

    action: str


class NewSession(Action):
    """Create a conversation and subscribe to it."""

    action: Literal["new_session"]
    model: str | None = None
    render: bool = False


class ResumeSession(Action):
    """Subscribe to an existing conversation."""

    action: Literal["resume_session"]
    session_id: str
    context: Context = DEFAULT_CONTEXT
    """How many of the last stored messages the model is given on this connection."""
    render: bool = False


class Send(Action):
    """Send a message: one turn."""

    action: Literal["send"]
    text: MessageText
    """At most `MAX_TEXT` code points; a longer one is refused with `message_too_long`."""
    model: str | None = None
    client_id: ClientId | None = None
    """Chosen by the client, unique for its owner. Sending one id twice stores one message."""
    render: bool = False
    """As in `new_session`, if this creates the conversation."""


class Cancel(Action):
    """Stop the live turn, wherever it runs."""

    action: Literal["cancel"]


class Withdraw(Action):
    """Cancel a `send` that is still queued."""

    action: Literal["withdraw"]
    client_id: ClientId


class Regenerate(Action):
    """Answer a user message again; the earlier answer is kept as a sibling."""

    action: Literal["regenerate"]
    message_id: str | None = None
    """The id of a user message, or of an answer to it; None: the last one."""
    model: str | None = None


class Edit(Action):
    """Rewrite a user message as a sibling, and answer it; the old branch is kept."""

    action: Literal["edit"]
    message_id: str
    text: MessageText
    model: str | None = None
    client_id: ClientId | None = None


class Select(Action):
    """Make the branch that holds a message the current one."""

    action: Literal["select"]
    message_id: str


class Continue(Action):
    """Continue an answer that was cancelled, interrupted, failed or cut short."""

    action: Literal["continue"]
    model: str | None = None


class ApproveTool(Action):
    """Decide a pending call."""

    action: Literal["approve_tool"]
    call_id: str
    approved: bool
    remember: bool = False
    """Allow, or deny, this tool for the rest of the conversation."""
    arguments: dict[str, Any] | None = None
    """Used in place of the model's, after the same validation."""


AnyAction = (
    NewSession
    | ResumeSession
    | Send
    | Cancel
    | Withdraw
    | Regenerate
    | Edit
    | Select
    | Continue
    | ApproveTool
)
Answered = Send | Regenerate | Edit | Continue
"""Actions whose response ends in exactly one `done`, even if refused."""

ACTIONS: dict[str, type[AnyAction]] = {
    "new_session": NewSession,
    "resume_session": ResumeSession,
    "send": Send,
    "cancel": Cancel,
    "withdraw": Withdraw,
    "regenerate": Regenerate,
    "edit": Edit,
    "select": Select,
    "continue": Continue,
    "approve_tool": ApproveTool,
}
