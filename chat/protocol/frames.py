"""The frames that a client may get. Events are in `events.py`."""

from __future__ import annotations

from typing import Literal, NamedTuple

import orjson

from chat.protocol.data import Frame
from chat.protocol.views import UsageView

Outcome = Literal["completed", "cancelled", "failed", "interrupted"]
CommandOutcome = Literal["unknown_command", "model_chosen"]


class Delta(Frame):
    """A piece of the answer, as it arrives from the model."""

    type: Literal["delta"] = "delta"
    content: str


class QuickDelta(NamedTuple):
    """A `Delta` as the journal sends it, for every token: the same JSON at a tenth of the cost."""

    seq: int
    content: str

    def encode(self) -> str:
        return orjson.dumps({"type": "delta", "seq": self.seq, "content": self.content}).decode()


class Reply(Frame):
    """The answer to a slash command, Markdown."""

    type: Literal["message"] = "message"
    content: str
    html: str | None = None
    """`content`, rendered and safe, for connections that asked for `render`."""
    outcome: CommandOutcome | None = None
    """The command's effect, if a page has to act on it."""

    left_out = frozenset({"seq", "html", "outcome"})


class Error(Frame):
    """An error, for people and for programs. The connection stays open."""

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
