"""The transcript of a conversation for staff: as on its page, plus what the page leaves out.

It adds who decided a call, when and where, both versions of its arguments, and every message version.
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
"""Code points shown of a call's arguments; its own page has all."""


@dataclass(frozen=True)
class Part:
    """A part of an answer: rendered text, plain text while it is being written, or a call."""

    html: SafeString | None = None
    text: str = ""
    call: ToolCall | None = None
    card: Card | None = None
    more_calls: int = 0
    """Calls left out here."""

    @property
    def state(self) -> str:
        return STATES[self.call.status] if self.call else ""

    @property
    def arguments(self) -> str:
        """The arguments that the tool gets."""
        return self._shorten(self.call.used_arguments) if self.call else ""

    @property
    def asked_for(self) -> str:
        """The model's arguments, if a person edited them."""
        is_edited = self.call and self.call.edited_arguments
        return self._shorten(self.call.arguments) if self.call and is_edited else ""

    def _shorten(self, arguments: str) -> str:
        return format_json(arguments if len(arguments) <= SHOWN else arguments[:SHOWN])

    @property
    def result(self) -> str:
        return (self.card and self.card.call.content) or ""

    @property
    def is_cut(self) -> bool:
        """Whether only its own page has the whole."""
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
    """A stretch of a branch, oldest first."""

    entries: tuple[Entry, ...]
    has_earlier: bool
    is_latest: bool
    """Whether it is the end of the current branch."""


def read(conversation: Conversation, *, at: str | None, before: str | None) -> Reading:
    """Read the current branch, the branch with message `at`, or the messages before `before`.

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


def format_json(arguments: str) -> str:
    """Format JSON text for reading; other text stays as it is."""
    try:
        return plainly(json.dumps(json.loads(arguments), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return plainly(arguments)


def decision(call: ToolCall) -> str:
    """Describe who decided, where and when; empty if nobody had to, or has yet."""
    if call.decided_at is None:
        return ""
    word = "Denied" if call.status == ToolCall.Status.DENIED else "Approved"
    who = call.decided_by or "a deleted user"
    how = {
        ToolCall.DecidedFrom.PAGE: f"{word} by {who} in the chat",
        ToolCall.DecidedFrom.ADMIN: f"{word} by {who} in the admin",
        ToolCall.DecidedFrom.COMMAND: f"{word} by a command, for {who}",
        ToolCall.DecidedFrom.RULE: f"{word} by a remembered rule",
        ToolCall.DecidedFrom.EXPIRY: "Denied because nobody answered in time",
    }
    when = date_format(timezone.localtime(call.decided_at), "DATETIME_FORMAT")
    return f"{how.get(ToolCall.DecidedFrom(call.decided_from), word)}, {when}"
