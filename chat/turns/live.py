"""A turn while this process runs it: everything that its row does not hold yet."""

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
"""A person asked; the server shuts down; the row is gone or another process has it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry for the journal that is not a piece of the answer: committed, then sent."""

    frame: Frame | None = None
    """Numbered and sent to the conversation's connections."""
    reasoning: str = ""
    """A piece of the model's reasoning: sent without a number."""
    write: Callable[[int], None] | None = None
    """Runs in the same transaction, with the frame's number. May run twice: a failed commit is
    retried."""
    ends: bool = False
    """The turn's last entry: its pieces are folded into the message instead of appended."""
    then: Callable[[], None] | None = None
    """Runs on the event loop once all of it is committed and sent."""


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
    """No earlier turn of the conversation completed: a title is due."""
    taken: float = field(default_factory=monotonic)
    """When it was taken, by this process's clock."""
    parts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    thoughts: int = 0
    """Pieces of reasoning that the journal has received."""
    round: int = 0
    """Requests to the model so far, within this answer."""
    has_calls: bool = False
    calls_changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to read its calls again: a person may have decided, or none runs any longer."""
    asks: bool = False
    """A call waited for a person when they were last read."""
    borders: list[int] = field(default_factory=list)
    """Where calls stand in the text, in code points: no block spans one."""
    usage: Usage | None = None
    cost: Decimal | None = None
    """US dollars, where the price is known."""
    entries: list[Entry | str] = field(default_factory=list)
    """Entries that the journal has not committed yet. A string is a piece of the answer: it becomes a
    `delta`, or part of one if there is a backlog."""
    rows: list[tuple[int, str]] = field(default_factory=list)
    """Pieces of its text that are not merged yet: the number of the last frame, and the text."""
    beginning: StatusChanged | None = None
    """Its first frame, stored when it was taken; None: it is not new, or ends at once."""
    task: asyncio.Task[None] | None = None
    begun: bool = False
    stop: StopReason | None = None
    cut_short: str = ""
    """Shown when the answer was cut off; empty: it was not."""
    remarks: list[str] = field(default_factory=list)
    """Other remarks about the answer, each once."""
    budget: int | None = None
    """Tokens of the conversation, by our own estimate, that its model turned out to take."""
    context_tokens: int | None = None
    """Tokens of the model's context that its last request and the answer took."""
    context_window: int | None = None
    heard_at: float = 0.0
    """When the model last sent something, by the event loop's clock."""
    noted_at: float = -inf
    """When a note about a wait was last sent, by the same clock."""
    noted_wait: float | None = None
    """The wait of the last note, identified by the `heard_at` with which it began."""
    last_note: StatusData | None = None
    """The last note about a wait."""
    over: bool = False
    """The journal has its end: nothing may follow."""
    waits: bool = False
    """It is over only for now: it waits for a person."""
    length: int = 0
    """Length of the text, in code points."""
    told: int = 0
    """Code points of the text that are stored and sent."""
    size: int = 0
    """Size of the text, in bytes of UTF-8."""

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
        """Add a request's tokens, and its cost if that is known."""
        self.context_tokens = usage.input_tokens + usage.output_tokens
        if cost is not None:
            self.cost = (self.cost or Decimal(0)) + cost
        self.usage = self.usage + usage if self.usage else usage

    @property
    def usage_view(self) -> UsageView | None:
        if (usage := self.usage) is None:
            return None
        return UsageView.of(usage.input_tokens, usage.output_tokens, usage.cached_tokens, self.cost)

    @property
    def waiting(self) -> StatusData | None:
        """The last note about a wait, if it still waits."""
        return self.last_note if self.noted_wait == self.heard_at else None

    def remark(self, text: str) -> None:
        """Add a remark about the answer, unless it was made before."""
        if text not in self.note:
            self.remarks.append(text)

    @property
    def note(self) -> str:
        """All remarks about the answer."""
        return " ".join(self.remarks)
