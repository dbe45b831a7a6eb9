"""The list of chats: all of them, latest first, or those that contain some words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from chat import search
from chat.display.sidebar import waiting_in
from chat.models import Conversation
from chat.search import Hit, Marked

PAGE = 30
"""Rows of one stretch of the list."""


@dataclass(frozen=True)
class Asked:
    """The query for a list. Any words are valid."""

    query: str = ""
    archived: bool = False
    after: str = ""
    """Where the stretch begins. Without a query, the last row's time and id; else the rows so far."""

    def url(self, after: str) -> str:
        """Return the address of the rows after these."""
        parts = {"q": self.query, "archived": "1" if self.archived else "", "after": after}
        return "?" + urlencode({name: value for name, value in parts.items() if value})


@dataclass(frozen=True)
class Row:
    """A conversation in the list."""

    conversation: Conversation
    title: Marked
    when: str
    href: str
    excerpt: Marked | None = None
    heading: str = ""
    """Shown above this row and those that follow."""
    waits: bool = False


@dataclass(frozen=True)
class Listing:
    """A stretch of the list."""

    asked: Asked
    rows: Sequence[Row] = field(default=())
    more: str = ""
    """Address of the next stretch; empty: this is the end."""


class NoSuchPlace(Exception):
    """`after` does not come from a list."""


def listing(user: User, asked: Asked) -> Listing:
    """Read a stretch of the list. Raises `NoSuchPlace`."""
    return _search(user, asked) if asked.query.strip() else _all(user, asked)


def one(conversation: Conversation) -> Row:
    """Make a single row, after its conversation changed."""
    return _row(conversation, waiting_in([conversation]))


def _row(conversation: Conversation, waiting: Iterable[UUID], *, heading: str = "") -> Row:
    return Row(
        conversation,
        title=Marked(((str(conversation), False),)),
        when=_when(conversation.updated_at),
        href=conversation.get_absolute_url(),
        heading=heading,
        waits=conversation.pk in waiting,
    )


# --- all ----------------------------------------------------------------------------------------


def _all(user: User, asked: Asked) -> Listing:
    listed = Conversation.objects.of(user).listed(archived=asked.archived)
    last = _cursor(asked.after) if asked.after else None
    if last is not None:
        time, key = last
        # an index can start at the first condition
        listed = listed.filter(updated_at__lte=time)
        listed = listed.filter(Q(updated_at__lt=time) | Q(id__lt=key))
    found = list(listed[: PAGE + 1])
    shown = found[:PAGE]
    more = asked.url(f"{shown[-1].updated_at.isoformat()}~{shown[-1].pk}") if found[PAGE:] else ""
    return Listing(asked, list(_add_headings(shown, after=last[0] if last else None)), more)


def _cursor(after: str) -> tuple[datetime, UUID]:
    time, _, key = after.partition("~")
    try:
        moment, conversation_id = datetime.fromisoformat(time), UUID(key)
        if timezone.is_aware(moment):
            timezone.localtime(moment)  # raises beyond the last day of the calendar
            return moment.astimezone(UTC), conversation_id
    except (ValueError, OverflowError):
        pass
    raise NoSuchPlace


def _add_headings(found: Sequence[Conversation], *, after: datetime | None) -> Iterable[Row]:
    """Yield rows, with a heading where another period begins."""
    waiting = waiting_in(found)
    before = _age(after) if after else ""
    for conversation in found:
        age = _age(conversation.updated_at)
        yield _row(conversation, waiting, heading="" if age == before else age)
        before = age


def _age(moment: datetime) -> str:
    day, today = timezone.localtime(moment).date(), timezone.localdate()
    if day >= today:
        return "Today"
    for days, name in ((1, "Yesterday"), (7, "Last 7 days"), (30, "Last 30 days")):
        if day >= today - timedelta(days):
            return name
    return date_format(day, "F" if day.year == today.year else "F Y")


def _when(moment: datetime) -> str:
    local: datetime = timezone.localtime(moment)
    today: date = timezone.localdate()
    if local.date() == today:
        return date_format(local, "H:i")
    return date_format(local, "j M" if local.year == today.year else "j M Y")


# --- those with some words ----------------------------------------------------------------------


def _search(user: User, asked: Asked) -> Listing:
    offset = _offset(asked.after) if asked.after else 0
    hits = search.search(user.pk, asked.query, limit=PAGE + 1, offset=offset, by_conversation=True)
    shown = hits[:PAGE]
    conversations = Conversation.objects.of(user).in_bulk([hit.conversation_id for hit in shown])
    waiting = waiting_in(conversations.values())
    rows = [
        _hit(hit, conversations, waiting) for hit in shown if hit.conversation_id in conversations
    ]
    return Listing(asked, rows, asked.url(str(offset + PAGE)) if len(hits) > PAGE else "")


def _offset(after: str) -> int:
    if after.isdecimal() and len(after) < 6:
        return int(after)
    raise NoSuchPlace


def _hit(hit: Hit, conversations: dict[UUID, Conversation], waiting: Iterable[UUID]) -> Row:
    conversation = conversations[hit.conversation_id]
    return Row(
        conversation,
        title=hit.title,
        when=_when(hit.said_at),
        href=f"{conversation.get_absolute_url()}?at={hit.message_id}#m-{hit.message_id}",
        excerpt=hit.excerpt,
        waits=conversation.pk in waiting,
    )
