"""A conversation for staff to read: as on its page, and with what the page leaves out.

Who decided on a call, when and where; both versions of its arguments; every version of a message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from chat.display import transcript
from chat.display.cards import STATES, Card, plainly
from chat.display.shown import Shown
from chat.display.transcript import Stretch
from chat.models import Conversation, ToolCall

SHOWN = 8000
"""Code points of a call's arguments; its own page has the whole."""


@dataclass(frozen=True)
class Part:
    """A stretch of an answer: rendered text, plain text while it is written, or a call."""

    html: SafeString | None = None
    text: str = ""
    call: ToolCall | None = None
    card: Card | None = None
    more_calls: int = 0
    """Calls that are left out here."""

    @property
    def state(self) -> str:
        return STATES[self.call.status] if self.call else ""

    @property
    def arguments(self) -> str:
        """What the tool is called with."""
        return self._laid_out(self.call.used_arguments) if self.call else ""

    @property
    def asked_for(self) -> str:
        """What the model asked for, where a person changed it."""
        is_edited = self.call and self.call.edited_arguments
        return self._laid_out(self.call.arguments) if self.call and is_edited else ""

    def _laid_out(self, arguments: str) -> str:
        return laid_out(arguments if len(arguments) <= SHOWN else arguments[:SHOWN])

    @property
    def result(self) -> str:
        return (self.card and self.card.call.content) or ""

    @property
    def is_cut(self) -> bool:
        """Its own page has the whole."""
        is_long = self.call is not None and len(self.call.used_arguments) > SHOWN
        return is_long or bool(self.card and self.card.call.truncated)

    @property
    def decision(self) -> str:
        return decision(self.call) if self.call else ""


@dataclass(frozen=True)
class Entry:
    shown: Shown
    parts: tuple[Part, ...]

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.shown.view.created_at)


@dataclass(frozen=True)
class Reading:
    """A stretch of one branch, oldest first."""

    entries: tuple[Entry, ...]
    has_earlier: bool
    is_latest: bool
    """The end of the current branch."""


def read(conversation: Conversation, *, at: str | None, before: str | None) -> Reading:
    """The current branch, the branch that holds message `at`, or what stands before a message.

    Raises `ValueError` and `Message.DoesNotExist`.
    """
    if at:
        stretch = transcript.through(conversation, UUID(at))
    elif before:
        stretch = transcript.before(conversation, UUID(before))
    else:
        stretch = transcript.latest(conversation)
    entries = tuple(_entries(stretch))
    return Reading(entries, stretch.has_earlier, is_latest=not at and not before)


def _entries(stretch: Stretch) -> Iterator[Entry]:
    named = {
        (shown.view.id, part.card.call.call_id)
        for shown in stretch.messages
        for part in shown.parts
        if part.card
    }
    rows = ToolCall.objects.filter(
        message__in={message_id for message_id, _ in named},
        call_id__in={call_id for _, call_id in named},
    ).select_related("decided_by")
    rows = rows.defer("result")
    calls = {(str(row.message_id), row.call_id): row for row in rows}
    for shown in stretch.messages:
        parts = tuple(
            Part(
                part.html, part.text, calls.get((shown.view.id, part.card.call.call_id)), part.card
            )
            if part.card
            else Part(part.html, part.text, more_calls=part.more_calls)
            for part in shown.parts
        )
        yield Entry(shown, parts)


def laid_out(arguments: str) -> str:
    """JSON text to be read; text that is none stays as it is."""
    try:
        return plainly(json.dumps(json.loads(arguments), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return plainly(arguments)


def decision(call: ToolCall) -> str:
    """Who decided, where and when; empty: nobody had to, or nobody has yet."""
    if call.decided_at is None:
        return ""
    word = "Denied" if call.status == ToolCall.Status.DENIED else "Approved"
    who = call.decided_by or "somebody who is no more"
    how = {
        ToolCall.DecidedFrom.PAGE: f"{word} by {who} in the chat",
        ToolCall.DecidedFrom.ADMIN: f"{word} by {who} in the admin",
        ToolCall.DecidedFrom.COMMAND: f"{word} with a command, for {who}",
        ToolCall.DecidedFrom.RULE: f"{word} by what was remembered for this conversation",
        ToolCall.DecidedFrom.EXPIRY: "Denied, because nobody answered in time",
    }
    when = date_format(timezone.localtime(call.decided_at), "DATETIME_FORMAT")
    return f"{how.get(ToolCall.DecidedFrom(call.decided_from), word)}, {when}"
