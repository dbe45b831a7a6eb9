"""Stores rendered texts in the database.

The server's writer does it in passing: a text that cannot be stored now is rendered again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from time import monotonic
from uuid import UUID

from django.db import transaction

from chat.db import loop
from chat.db.lanes import write
from chat.markdown.jobs import Outcome, is_over
from chat.models import Conversation, KeptRender, Message

log = logging.getLogger(__name__)

VERSION = 1
"""The renderer's version. Raise it when a text's HTML changes."""
LIBRARIES = ("markdown-it-py", "mdit-py-plugins", "nh3", "pygments")
MOST_WAITING, MOST_CHARACTERS = 500, 16 * 1024 * 1024
"""Most texts, and characters of HTML, that wait to be stored."""
BATCH, BATCH_SIZE = 20, 256 * 1024
"""Most texts and characters in one transaction, which has at least one text."""
PAUSE = 60.0
"""Seconds until the next attempt, after the database refused one."""


@dataclass(frozen=True)
class Place:
    """The place of a text: its message, and the code point where it begins."""

    message_id: UUID
    begin: int


@cache
def _version() -> bytes:
    return " ".join([str(VERSION), *map(version, LIBRARIES)]).encode()


def key(text: str) -> str:
    """Return the key of a text, as this version renders it."""
    words = text.encode(errors="surrogatepass")
    return blake2b(words, key=blake2b(_version()).digest(), digest_size=16).hexdigest()


def find(messages: Collection[UUID]) -> dict[tuple[Place, str], str]:
    """Read the stored HTML of some messages, by place and key."""
    rows = KeptRender.objects.filter(message__in=messages)
    return {
        (Place(message_id, begin), found): html
        for message_id, begin, found, html, until in rows.values_list(
            "message_id", "begin", "key", "html", "until"
        )
        if until is None or not is_over(until.timestamp())
    }


def keep(place: Place, text_key: str, outcome: Outcome) -> None:
    """Store an outcome soon, if this process is a server. From any thread; returns at once."""
    if outcome.until != 0:
        row = row_of(place, text_key, outcome)
        loop.call_after_commit(lambda: _keeper.add(row))


def row_of(place: Place, text_key: str, outcome: Outcome) -> KeptRender:
    until = None if outcome.until is None else datetime.fromtimestamp(outcome.until, UTC)
    return KeptRender(
        message_id=place.message_id,
        begin=place.begin,
        key=text_key,
        html=outcome.html,
        until=until,
    )


class _Keeper:
    """All methods are for the event loop's thread."""

    def __init__(self) -> None:
        self._waiting: list[KeptRender] = []
        self._storing: asyncio.Task[None] | None = None
        self._next_try = 0.0

    def add(self, row: KeptRender) -> None:
        if monotonic() < self._next_try or self._is_full(row):
            return
        self._waiting.append(row)
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())

    def _is_full(self, row: KeptRender) -> bool:
        size = sum(len(other.html) for other in (*self._waiting, row))
        return len(self._waiting) >= MOST_WAITING or size > MOST_CHARACTERS

    async def _store(self) -> None:
        try:
            while self._waiting:
                batch = list(_first(self._waiting))
                del self._waiting[: len(batch)]
                await write(store, batch)
        except Exception as error:
            # locked, full, read-only, or about to end: pages are shown all the same
            log.debug("Rendered texts could not be kept: %s", error)
            self._next_try = monotonic() + PAUSE
            self._waiting.clear()


_keeper = _Keeper()


def _first(rows: Sequence[KeptRender]) -> Iterator[KeptRender]:
    """Yield as many rows as fit into a transaction."""
    size = 0
    for number, row in enumerate(rows[:BATCH]):
        size += len(row.html)
        if number and size > BATCH_SIZE:
            return
        yield row


@transaction.atomic
def store(rows: Collection[KeptRender]) -> None:
    """Store rows in place of earlier ones.

    Skips conversations that are locked: one that is being deleted must not get new rows.
    """
    messages = Message.objects.filter(pk__in={row.message_id for row in rows})
    belongs = dict(messages.values_list("pk", "conversation"))
    free = Conversation.objects.filter(pk__in=set(belongs.values()))
    held = set(free.select_for_update(skip_locked=True).values_list("pk", flat=True))
    latest = {(row.message_id, row.begin): row for row in rows}
    KeptRender.objects.bulk_create(
        [row for row in latest.values() if belongs.get(row.message_id) in held],
        update_conflicts=True,
        unique_fields=["message", "begin"],
        update_fields=["key", "html", "until"],
    )
