"""A message on the page: what its template asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.html import escape

from chat.display.cards import Card, asked_each_time, plainly
from chat.display.parts import Part
from chat.display.usage import Context, Row
from chat.models import Turn
from chat.protocol import MessageView, ToolCallView
from chat.turns.context import LEFT_OUT

LONG, LONG_LINES = 2000, 24
"""Code points and lines: a question beyond either is folded. `questions.js` has the same."""
_MARKS = {
    "cancelled": "Stopped",
    "failed": "This answer failed.",
    "interrupted": "Interrupted: the server stopped while it was writing.",
}
_NEARLY_FULL = (
    "This chat fills {percent}% of the model's context. Its oldest messages will soon be left out."
)


@dataclass(frozen=True)
class Versions:
    """A message's place among its siblings."""

    number: int
    count: int
    previous: str | None
    next: str | None


@dataclass(frozen=True)
class Shown:
    """A message on the page."""

    view: MessageView
    parts: tuple[Part, ...]
    """Of an answer; a question is plain text."""
    client_id: str | None
    """Of a question that waits: what takes it back."""
    is_queued: bool
    """A question that nobody answers yet, because an earlier one is being answered."""
    about: tuple[Row, ...] = ()
    """What an answer that is over took."""
    gauge: Context | None = None
    """How full its model's context was then."""
    size: int = 0
    """Bytes of its text; what is shown of it may be less."""

    @property
    def html_size(self) -> int:
        """Bytes of its HTML, about."""
        view = self.view
        texts = [view.content, view.reasoning, view.error, view.error_details, view.note]
        html = sum(len((part.html or "").encode()) for part in self.parts)
        for part in self.parts:
            if part.card:
                html += 2000  # what is around the texts of a call
                texts += [part.card.call.content, *[part.card.asked_for] * 2]
        return html + sum(len(escape(text).encode()) for text in texts if text)

    @property
    def shown_length(self) -> int:
        """Code points of its text that are shown."""
        return len(self.view.content)

    @property
    def is_unfinished(self) -> bool:
        return self.view.status in Turn.UNFINISHED

    @property
    def is_long(self) -> bool:
        """It would fill the screen."""
        text = self.view.content
        return len(text) > LONG or text.count("\n") >= LONG_LINES

    @property
    def versions(self) -> Versions | None:
        """None: there is one only."""
        view = self.view
        count = view.versions or len(view.siblings)
        if count < 2 or view.id not in view.siblings:
            return None
        at = view.siblings.index(view.id)
        following = view.siblings[at + 1] if at + 1 < len(view.siblings) else None
        return Versions(
            view.version or at + 1, count, view.siblings[at - 1] if at else None, following
        )

    @property
    def may_continue(self) -> bool:
        """There is something to go on with."""
        is_cut = self.view.status in Turn.UNSUCCESSFUL or bool(self.view.error)
        return is_cut and bool(self.parts)

    @property
    def mark(self) -> str:
        """How an answer ended, where it did not simply end."""
        return self.view.error or _MARKS.get(self.view.status, "")

    @property
    def details(self) -> str:
        """What the model's server said of it."""
        return plainly(self.view.error_details or "")

    @property
    def warning(self) -> str:
        """That the model's context is nearly full, while nothing is left out yet."""
        if not (self.gauge and self.gauge.is_nearly_full) or LEFT_OUT in (self.view.note or ""):
            return ""
        return _NEARLY_FULL.format(percent=self.gauge.percent)


def _blank(role: Literal["user", "assistant"]) -> Shown:
    view = MessageView(
        id="", parent_id=None, siblings=(), role=role, content="", status="running", created_at=""
    )
    return Shown(view, (), client_id=None, is_queued=False)


BLANK = {
    "question": _blank("user"),
    "answer": _blank("assistant"),
    "card": Card(ToolCallView(call_id="", name="", arguments={}, status="running")),
    "asked_each_time": asked_each_time,
}
"""What the page's script copies to draw a message that has no row yet."""
