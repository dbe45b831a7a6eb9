"""The wire, declared once: every action a client may send and every frame it may get.

No Django in here, and no behaviour beyond reading and writing frames: what an action does is in
`consumers.py` and `services/`. Strict in what is sent, easy in what is read (unknown keys are
ignored, pages outlive deploys). `docs/protocol.md` and the page's frame map are checked against
this file, which is long because it is the whole contract, and is read as one.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NoReturn, Self

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from chat.errors import InvalidFrame, InvalidJson, UnknownAction
from tools.values import TooDeep, scalars

MAX_FRAME_BYTES = 1024 * 1024
MAX_TEXT = 65_536
"""Code points of one message."""
MAX_DEPTH = 8
MAX_ARGUMENTS_DEPTH = 32
"""Of what a model hands to a tool."""
MAX_QUEUED = 20
"""Sends that may wait behind the live turn of a conversation."""
MAX_ANSWER_BYTES = 1024 * 1024
SNAPSHOT_MESSAGES = 20
SNAPSHOT_CONTENT_BYTES = 64 * 1024
SNAPSHOT_CALLS_BYTES = 512 * 1024
"""Of the results, and of the arguments, of all tool calls in a snapshot's messages."""
SNAPSHOT_CALLS = 100
"""Calls of one message that a snapshot has: the first and the last ones."""
FRAME_TEXT_BYTES = 512 * 1024
"""Of one text in a frame of its own, as JSON."""
DEFAULT_CONTEXT = 20
"""Stored messages that the model is given after a `resume_session` that says nothing else."""

TurnStatus = Literal["thinking", "responding", "tool_calling", "waiting_approval"]
Outcome = Literal["completed", "cancelled", "failed", "interrupted"]


# --- client to server ---------------------------------------------------------------------------


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
    """Make a conversation and attach to it."""

    action: Literal["new_session"]
    model: str | None = None
    render: bool = False


class ResumeSession(Action):
    """Attach to a conversation that exists."""

    action: Literal["resume_session"]
    session_id: str
    context: Context = DEFAULT_CONTEXT
    """How many of the last stored messages the model is given on this connection."""
    render: bool = False


class Send(Action):
    """One turn."""

    action: Literal["send"]
    text: MessageText
    """At most `MAX_TEXT` code points; a longer one is refused with `message_too_long`."""
    model: str | None = None
    client_id: ClientId | None = None
    """Made up by the client, unique for its owner. Sending one id twice stores one message."""
    render: bool = False
    """As in `new_session`, where this makes the conversation."""


class Cancel(Action):
    """Stop the live turn, wherever it runs."""

    action: Literal["cancel"]


class Withdraw(Action):
    """Take back a `send` that is still queued."""

    action: Literal["withdraw"]
    client_id: ClientId


class Regenerate(Action):
    """Answer a user message again; the earlier answer is kept as a sibling."""

    action: Literal["regenerate"]
    message_id: str | None = None
    """Of the user message, or of an answer to it; None: the last one."""
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
    """Go on with an answer that was cancelled, interrupted, failed or cut short."""

    action: Literal["continue"]
    model: str | None = None


class ApproveTool(Action):
    """Answer a pending approval."""

    action: Literal["approve_tool"]
    call_id: str
    approved: bool
    remember: bool = False
    """Allow, or deny, this tool for the rest of the conversation."""
    arguments: dict[str, Any] | None = None
    """Run in place of the model's, after the same validation."""


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
"""Actions whose response ends in exactly one `done`, a refused one's too."""

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


def parse(text: str) -> AnyAction:
    """The action that a frame asks for.

    Raises `InvalidJson`, `InvalidFrame` or `UnknownAction`, with a text that names the fault.
    """
    data = _decode(text)
    if not isinstance(data, dict):
        raise InvalidFrame("A frame is a JSON object.")
    _check(data, MAX_DEPTH)
    name = data.get("action")
    if not isinstance(name, str):
        raise InvalidFrame("A frame has an `action`, a string.")
    action = ACTIONS.get(name)
    if action is None:
        raise UnknownAction(f"Unknown action; known: {', '.join(ACTIONS)}.")
    given = {key: value for key, value in data.items() if value is not None}  # null: left out
    try:
        return action.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"][:1])
        words = first["msg"].removeprefix("Value error, ")
        raise InvalidFrame(f"{name}: `{field}`: {words}.") from None


def _decode(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError:
        raise InvalidFrame(_TOO_DEEP) from None
    except ValueError:
        raise InvalidJson("This is not JSON.") from None


_TOO_DEEP = f"A frame is nested at most {MAX_DEPTH} deep."


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidFrame("A key stands twice in one object.")
    return found


def _check(value: object, depth: int) -> None:
    """Refuse what cannot be stored (NUL, lone surrogates), said in JSON (a number that overflows)
    and what is nested too deep."""
    try:
        texts, floats = scalars(value, depth)
    except TooDeep:
        raise InvalidFrame(_TOO_DEEP) from None
    if not all(map(math.isfinite, floats)):
        raise InvalidFrame("A number is too large.")
    joined = "".join(texts)
    if not is_storable(joined):
        raise InvalidFrame("Text has a NUL or a lone surrogate.")


def is_storable(text: str) -> bool:
    """No NUL, which PostgreSQL refuses, and no lone surrogate, which is no UTF-8."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def arguments_object(text: str) -> dict[str, Any]:
    """A model's arguments as the object that the wire wants; what is none stands under `_raw`."""
    try:
        arguments = json.loads(text)
        _check(arguments, MAX_ARGUMENTS_DEPTH)
    except (ValueError, RecursionError, InvalidFrame):
        return {"_raw": text}
    return arguments if isinstance(arguments, dict) else {"_raw": text}


# --- server to client ---------------------------------------------------------------------------


class Data(BaseModel):
    """A part of a frame: what it declares and nothing more, or it is not built."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left_out: ClassVar[frozenset[str]] = frozenset()
    """Fields that are left out when they are None; any other None is sent as null."""

    def as_json(self) -> dict[str, Any]:
        """Itself as JSON values."""
        return self.model_dump(mode="json", exclude=_left_out(self))


class Frame(Data):
    """Something we tell a client."""

    type: str
    seq: int | None = None
    """Set on the frames of the live turn; never skips within a conversation."""

    left_out = frozenset({"seq"})

    def numbered(self, seq: int) -> Self:
        """The same frame with its place in the conversation."""
        return self.model_copy(update={"seq": seq})

    def encode(self) -> str:
        """The frame as JSON text."""
        return self.model_dump_json(exclude=_left_out(self))


def _left_out(part: Data) -> dict[str, Any]:
    """What `encode` leaves out: optional fields without a value, at every level."""
    out: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if value is None and name in part.left_out:
            out[name] = True
        elif isinstance(value, Data) and (inner := _left_out(value)):
            out[name] = inner
        elif isinstance(value, tuple):
            rows = {i: rest for i, row in enumerate(value) if (rest := _row(row))}
            if rows:
                out[name] = rows
    return out


def _row(value: object) -> dict[str, Any]:
    return _left_out(value) if isinstance(value, Data) else {}


class UsageView(Data):
    """Tokens of an answer, all its rounds together."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cost: float | None = None
    """US dollars, where the price is known."""

    left_out = frozenset({"cost"})


class ToolCallView(Data):
    """A tool call as a page shows it."""

    call_id: str
    name: str
    arguments: dict[str, Any]
    status: str
    """`pending`, `approved`, `denied`, `running`, `finished`, `failed` or `unknown`."""
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


class Delta(Frame):
    """A piece of the answer, as it arrives from the model."""

    type: Literal["delta"] = "delta"
    content: str


class QuickDelta(NamedTuple):
    """A `Delta` as the journal tells it, for every token: the same JSON at a tenth of the cost."""

    seq: int
    content: str

    def encode(self) -> str:
        return orjson.dumps({"type": "delta", "seq": self.seq, "content": self.content}).decode()


class Reply(Frame):
    """The answer to a slash command, Markdown."""

    type: Literal["message"] = "message"
    content: str
    html: str | None = None
    """The same, rendered and safe, for connections that asked for `render`."""

    left_out = frozenset({"seq", "html"})


class Error(Frame):
    """What went wrong, for people and for programs. The connection stays open."""

    type: Literal["error"] = "error"
    content: str
    code: str
    details: str | None = None
    """The status and the model server's own message, without keys and addresses."""

    left_out = frozenset({"seq", "details"})


class Done(Frame):
    """The end of a response."""

    type: Literal["done"] = "done"
    message_id: str | None
    status: Outcome
    client_id: str | None = None
    usage: UsageView | None = None

    left_out = frozenset({"seq", "client_id", "usage"})


class Event(Frame):
    """Anything else that happens in a conversation."""

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
    """The connection is attached; a snapshot of the conversation."""

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
    """The arguments are cut, and stand under `_raw`."""

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
    """A pending approval was answered, wherever."""

    event: Literal["approval_resolved"] = "approval_resolved"
    data: ApprovalResolvedData


class ToolProgressData(Data):
    call_id: str
    content: str


class ToolProgress(Event):
    """A running tool says how far it is."""

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
    """A tool call has its result."""

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
    """Words for people about a wait."""
    since: str | None = None
    """When it began: ISO 8601, UTC."""

    left_out = frozenset({"note", "since"})


class StatusChanged(Event):
    """What the live turn is doing."""

    event: Literal["status"] = "status"
    data: StatusData


class BlockData(Data):
    message_id: str
    index: int
    """From 0, within the message."""
    html: str
    """Rendered and safe."""
    end: int
    """Length of the answer's text, in code points, up to which blocks have come."""


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
    """Told to every connection of the conversation's owner."""

    event: Literal["title"] = "title"
    data: TitleData


class ConversationChangedData(Data):
    session_id: str


class ConversationChanged(Event):
    """Pinned, archived, read, or the reverse: told to every connection of its owner."""

    event: Literal["conversation_changed"] = "conversation_changed"
    data: ConversationChangedData


class ConversationDeletedData(Data):
    session_id: str


class ConversationDeleted(Event):
    """Told to every connection of the conversation's owner."""

    event: Literal["conversation_deleted"] = "conversation_deleted"
    data: ConversationDeletedData
