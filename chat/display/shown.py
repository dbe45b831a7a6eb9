"""A message on the page, with everything that its template needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from django.utils.html import escape

from chat.display.cards import STATES, Card, asked_each_time, plainly
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
    """Empty for a question, which is plain text."""
    client_id: str | None
    """The id that cancels a question that waits."""
    is_queued: bool
    """A question that waits behind an earlier one."""
    about: tuple[Row, ...] = ()
    """Model, time, tokens and cost of an answer that is over."""
    gauge: Context | None = None
    """How full its model's context was then."""
    size: int = 0
    """Bytes of all its text, if only a part is shown."""

    @property
    def html_size(self) -> int:
        """Estimated bytes of its HTML."""
        view = self.view
        texts = [view.content, view.reasoning, view.error, view.error_details, view.note]
        html = sum(len((part.html or "").encode()) for part in self.parts)
        for part in self.parts:
            if part.card:
                html += 2000  # the markup around the texts of a call
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
        """Whether it would fill the screen."""
        text = self.view.content
        return len(text) > LONG or text.count("\n") >= LONG_LINES

    @property
    def versions(self) -> Versions | None:
        """Its place among its versions; None: there is only one."""
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
        """Whether the answer can be continued."""
        is_cut = self.view.status in Turn.UNSUCCESSFUL or bool(self.view.error)
        return is_cut and bool(self.parts)

    @property
    def mark(self) -> str:
        """How an answer ended, unless it ended normally."""
        return self.view.error or _MARKS.get(self.view.status, "")

    @property
    def details(self) -> str:
        """The model server's own words about a failure."""
        return plainly(self.view.error_details or "")

    @property
    def warning(self) -> str:
        """A warning that the model's context is nearly full, before anything is left out."""
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
    "call_states": json.dumps(STATES),
}
"""Blank elements that the page's script copies for a message that has no row yet."""
