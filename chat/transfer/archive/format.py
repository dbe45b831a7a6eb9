"""The archive format, declared once: the keys of a conversation in a file.

The classes below define the keys and their order; `rows.py` writes them, an import reads them back.
Unknown keys are refused, because they would be lost silently.

A key without a default is from version 1 and always present. A key with a default came with
version 2; a file that lacks it means the default. So files written today can still be read when
version 2 gains a key.

`docs/archive.md` describes the format and is checked against this file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    model_validator,
)

from chat.models import Conversation, Message, ToolCall, Turn
from chat.transfer.archive.tree import check

FORMAT: Final = "talos-history"
VERSION: Final = 2
"""The version written by default."""
VERSIONS: Final = (1, 2)
"""The versions that can be read and written."""
MAX_BYTES = 64 * 1024 * 1024
"""The most bytes of one conversation in a file."""
MAX_TEXT = 8 * 1024 * 1024
"""The most code points of one text; Talos itself writes none nearly as long."""
MAX_MESSAGES = 100_000
MAX_COUNT = 2**31 - 1
MAX_SEQ = 2**52
"""The highest frame number of a conversation: JavaScript must be able to count on from it."""
YEARS = range(1970, 2200)


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("has a NUL character, which no database stores")
    return text


def _replace_nul(title: str) -> str:
    """Replace NUL, which earlier versions accepted in a title that a person gave."""
    return title.replace("\0", "\ufffd")


def _in_range(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"is not in the years {YEARS.start} to {YEARS.stop - 1}")
    return moment.astimezone(UTC)


_checked = AfterValidator(_storable)
Text = Annotated[str, Field(max_length=MAX_TEXT), _checked]
Line = Annotated[str, Field(max_length=200), _checked]
Title = Annotated[str, Field(max_length=200), AfterValidator(_replace_nul)]
Name = Annotated[str, Field(min_length=1, max_length=200), _checked]
ErrorCode = Annotated[str, Field(max_length=20), _checked]
ClientId = Annotated[str, Field(max_length=64), _checked]
Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Cost = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=8)]


class Archived(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class ArchivedRule(Archived):
    """A remembered approval or denial. Once imported, it allows nothing."""

    tool: Name
    allow: bool
    created_at: Moment


class ArchivedTurn(Archived):
    """The run of the model that produced an answer."""

    status: Turn.Status
    model: Line
    context: Annotated[int, Field(ge=0, le=1_000_000)] | None
    client_id: ClientId | None
    input_tokens: Count | None
    output_tokens: Count | None
    cached_tokens: Count | None
    cost: Cost | None
    error_code: ErrorCode
    error: Text
    error_details: Text = ""
    note: Text = ""
    context_tokens: Count | None = None
    context_window: Count | None = None
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    cancel_requested_at: Moment | None


class ArchivedCall(Archived):
    """A tool call; calls are in the order in which they were made."""

    call_id: Name
    round: Count
    offset: Count
    name: Line
    arguments: Text
    edited_arguments: Text
    status: ToolCall.Status
    result: Text
    decided_by: Line | None
    """A username."""
    decided_at: Moment | None
    decided_from: ToolCall.DecidedFrom | Literal[""]
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None


class ArchivedOpaque(Archived):
    """Data that a model sent for its own use. It only ever goes back to that model."""

    round: Count
    call_id: Annotated[str, Field(max_length=200), _checked]
    """The id of one of the message's calls; empty: the whole round."""
    kind: Annotated[str, Field(min_length=1, max_length=40), _checked]
    source: Annotated[str, Field(max_length=500), _checked]
    data: Text


class ArchivedMessage(Archived):
    """A message. An answer has a turn and may have calls and opaque parts; a question has none."""

    id: UUID
    parent: UUID | None
    role: Message.Role
    content: Text
    reasoning: Text
    client_id: ClientId | None
    withdrawn: bool
    created_at: Moment
    turn: ArchivedTurn | None
    calls: Annotated[tuple[ArchivedCall, ...], FailFast()]
    opaque: Annotated[tuple[ArchivedOpaque, ...], FailFast()] = ()


class ArchivedConversation(Archived):
    """One line of an archive, readable by itself."""

    format: Literal["talos-history"]
    version: Literal[1, 2]
    id: UUID
    owner: Line
    """A username."""
    title: Title
    titled_by: Conversation.TitledBy
    model: Line
    instructions: Text
    temperature: Annotated[float, Field(ge=0, le=2)] | None
    max_output_tokens: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None
    offers_tools: bool = True
    pinned: bool
    archived: bool
    unread: bool
    seq: Annotated[int, Field(ge=0, le=MAX_SEQ)]
    leaf: UUID
    """The end of the current branch."""
    created_at: Moment
    updated_at: Moment
    rules: Annotated[tuple[ArchivedRule, ...], FailFast()]
    messages: Annotated[
        tuple[ArchivedMessage, ...], Field(min_length=1, max_length=MAX_MESSAGES), FailFast()
    ]
    """Ordered by time, then by id."""

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        check(self)
        return self
