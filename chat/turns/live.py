"""A turn while this process runs it: what the row does not hold yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from time import monotonic
from typing import Literal
from uuid import UUID

from chat.llm.base import Usage
from chat.protocol import Frame, StatusChanged, StatusData, UsageView

StopReason = Literal["cancel", "drain", "lost"]
"""A person asked; the server ends; the row is gone or somebody else's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing for the journal that is no piece of the answer: committed, then told."""

    frame: Frame | None = None
    """Numbered and sent to the conversation's connections."""
    reasoning: str = ""
    """A piece of the model's reasoning: told without a number."""
    write: Callable[[int], None] | None = None
    """Runs in the same transaction, with the frame's number. May run twice: a failed commit
    is tried again."""
    ends: bool = False
    """The turn's last entry: its pieces are not appended any more, but folded into the message."""
    then: Callable[[], None] | None = None
    """Runs on the event loop once all that is committed and told."""


@dataclass(eq=False)
class LiveTurn:
    """One running turn. Only its process numbers frames."""

    turn_id: int
    message_id: UUID
    conversation_id: UUID
    owner_id: int
    client_id: str | None
    model: str
    context: int | None
    seq: int
    """The last numbered frame of the conversation."""
    is_first: bool
    """No turn of the conversation was completed before: a title is due."""
    taken: float = field(default_factory=monotonic)
    """When, by this process's clock."""
    parts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    thoughts: int = 0
    """Pieces of reasoning that the journal has had."""
    round: int = 0
    """Requests to the model so far, within this answer."""
    has_calls: bool = False
    calls_changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Look at its calls again: a person may have decided, or nothing runs any more."""
    asks: bool = False
    """A call waited for a person when they were looked at last."""
    borders: list[int] = field(default_factory=list)
    """Where calls stand in the text, in code points: no block goes across one."""
    usage: Usage | None = None
    cost: Decimal | None = None
    """US dollars, where the price is known."""
    entries: list[Entry | str] = field(default_factory=list)
    """What the journal has not committed yet. A string is a piece of the answer: it becomes a
    `delta` of its own, or part of one in a backlog."""
    rows: list[tuple[int, str]] = field(default_factory=list)
    """The pieces of its text that are rows of their own still: the last frame's number, the text."""
    beginning: StatusChanged | None = None
    """Its first frame, stored when it was taken; None: it is not new, or ends at once."""
    task: asyncio.Task[None] | None = None
    begun: bool = False
    stop: StopReason | None = None
    cut_short: str = ""
    """What is to be said of its end, where the model was not let finish."""
    remarks: list[str] = field(default_factory=list)
    """What else is to be said of the answer, each once."""
    budget: int | None = None
    """Tokens, by our own estimate, that its model turned out to take of the conversation."""
    context_tokens: int | None = None
    """What its last request and the answer took of the model's context."""
    context_window: int | None = None
    heard_at: float = 0.0
    """By the event loop's clock: when the model gave something last."""
    noted_at: float = -inf
    """Likewise: when a wait was told last."""
    told_of: float | None = None
    """The wait that was told of last, by the `heard_at` that it began with."""
    note_told: StatusData | None = None
    """What was told of it."""
    over: bool = False
    """Its end is with the journal: nothing may follow."""
    waits: bool = False
    """That end is not its last: a person is needed."""
    length: int = 0
    """Of the text, in code points."""
    told: int = 0
    """Of the text, in code points, so far as it is stored and told."""
    size: int = 0
    """Of the text, in bytes of UTF-8."""

    def __post_init__(self) -> None:
        self.length = self.told = sum(map(len, self.parts))
        self.size = sum(len(part.encode()) for part in self.parts)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.parts)

    def append(self, content: str) -> None:
        self.parts.append(content)
        self.length += len(content)
        self.size += len(content.encode())

    def add_usage(self, usage: Usage, cost: Decimal | None) -> None:
        """Count one more request's tokens, and what it cost where that is known."""
        self.context_tokens = usage.input_tokens + usage.output_tokens
        if cost is not None:
            self.cost = (self.cost or Decimal(0)) + cost
        self.usage = self.usage + usage if self.usage else usage

    @property
    def usage_view(self) -> UsageView | None:
        if (usage := self.usage) is None:
            return None
        return UsageView(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            cost=None if self.cost is None else float(self.cost),
        )

    @property
    def waiting(self) -> StatusData | None:
        """What was told of a wait that is not over."""
        return self.note_told if self.told_of == self.heard_at else None

    def remark(self, text: str) -> None:
        """Something to be said of the answer, once."""
        if text not in self.note:
            self.remarks.append(text)

    @property
    def note(self) -> str:
        """What is to be said of the answer beside its text."""
        return " ".join(self.remarks)
