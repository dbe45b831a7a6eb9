"""The poller: reads once a second what other processes wrote.

It finds queued and ready turns, requested cancels, turns that are gone or whose process is dead,
frames for this process's pages, and newly connected providers, in three small queries. So the admin
and commands only have to write rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat import connections, publish, search
from chat.db import process
from chat.db.lanes import UNAVAILABLE, checkpoint, detail, read, write
from chat.models import Conversation, Notice, Turn
from chat.turns import approvals, follow, transitions
from chat.turns.live import LiveTurn
from chat.turns.runner import Runner
from chat.turns.transitions import Unfinished

log = logging.getLogger(__name__)

POLL_SECONDS = 1
HEARTBEAT_POLLS = 5
DEAD_POLLS = 20
"""Polls without a new heartbeat, after which another server on PostgreSQL recovers a turn: within 30
seconds. Polls are counted instead of comparing times, so a clock that jumps, or a database that was
away, makes no server look dead."""
TIDY_POLLS = 60
CHORE_POLLS = 3600
NOTICES_KEPT = timedelta(hours=1)
EMPTY_KEPT = timedelta(days=1)
"""Age at which a conversation without a message is removed."""
EMPTY_AT_ONCE = 1000
"""Most of them removed in one go; the next is a minute later."""
LATE_POLLS = 10
"""Polls for which older notices are read again: ids are assigned before commits, so a notice may
become visible after one with a higher id."""


Chore = Callable[[], Coroutine[Any, Any, None]]
"""Work for every hour, or every poll, that may take a while: in short steps, beside the polls."""


class Poller:
    """One per process."""

    def __init__(
        self,
        runner: Runner,
        *,
        dead: str | None,
        hourly: Iterable[Chore] = (),
        always: Iterable[Chore] = (),
    ) -> None:
        self._runner = runner
        self._always = tuple(always)
        self._chores = (compact_search, *hourly)
        self._running: dict[Chore, asyncio.Task[None]] = {}
        self._dead = dead
        """A process that is known to be dead; on SQLite all others are."""
        self._unknown: set[int] = set()
        self._silent: dict[int, tuple[datetime | None, int]] = {}
        """Each foreign running turn's heartbeat, and how many polls have found it unchanged."""
        self._floors: deque[int] = deque(maxlen=LATE_POLLS)
        self._heard: set[int] = set()

    async def start(self) -> None:
        """Poll once before clients connect: this frees the turns of dead servers."""
        self._floors.append(await read(_last_notice))
        with _logged_failure():  # the next poll tries again
            await self.poll()

    async def run(self) -> None:
        """Poll forever. Trouble with the database ends one poll, not the poller."""
        polls = 0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            polls += 1
            with _logged_failure():
                if polls % HEARTBEAT_POLLS == 0 and self._runner.live():
                    await write(transitions.heartbeat)
                await self.poll()
                if await read(checkpoint):
                    await write(checkpoint)
                if not process.is_alone():
                    await follow.poll({turn.conversation_id for turn in self._runner.live()})
                if polls % TIDY_POLLS == 1:
                    await write(tidy)
                self._start_chores(self._always)
                if polls % CHORE_POLLS == 1:
                    self._start_chores(self._chores)

    def _start_chores(self, chores: Iterable[Chore]) -> None:
        """Start chores, except those that still run from last time."""
        for chore in chores:
            if chore not in self._running or self._running[chore].done():
                self._running[chore] = self._runner.background(chore())

    async def poll(self) -> None:
        """Stop, recover and take turns as their rows say, after delivering notices."""
        await connections.poll()
        live = self._runner.live()  # before the read, which may miss a turn taken meanwhile
        unfinished = await read(transitions.unfinished)
        await self._hear()  # so that a page hears of a question before its answer begins
        self._stop_requested(live, unfinished)
        held = {turn.conversation_id for turn in unfinished if turn.status in Turn.LIVE}
        for turn in self._orphans(unfinished):
            held.discard(turn.conversation_id)
            with _logged_failure():  # one turn's failure must not affect the others
                await self._runner.recover(turn)
        for conversation_id in {turn.conversation_id for turn in unfinished} - held:
            with _logged_failure():
                await self._runner.take_next(conversation_id)

    def _stop_requested(self, live: Iterable[LiveTurn], unfinished: Sequence[Unfinished]) -> None:
        ours = {turn.pk: turn for turn in unfinished if turn.process == process.identity}
        for turn in live:
            row = ours.get(turn.turn_id)
            if row is None:
                self._runner.stop(turn, "lost")
            elif row.cancel_requested_at:
                self._runner.stop(turn, "cancel")
            elif turn.asks:
                turn.calls_changed.set()  # another process may have decided

    def _orphans(self, unfinished: Sequence[Unfinished]) -> list[Unfinished]:
        """Find running turns that no process runs."""
        running = [turn for turn in unfinished if turn.status == Turn.Status.RUNNING]
        ours = [t for t in running if t.process == process.identity and not self._runner.runs(t.pk)]
        # a turn taken a moment ago is not with the runner yet: seen twice, it is lost
        lost = [turn for turn in ours if turn.pk in self._unknown]
        self._unknown = {turn.pk for turn in ours}
        others = [turn for turn in running if turn.process != process.identity]
        return lost + self._of_dead_servers(others)

    def _of_dead_servers(self, others: Sequence[Unfinished]) -> list[Unfinished]:
        before, self._silent = self._silent, {}
        for turn in others:
            heartbeat, polls = before.get(turn.pk, (turn.heartbeat_at, 0))
            polls = polls + 1 if heartbeat == turn.heartbeat_at else 0
            self._silent[turn.pk] = turn.heartbeat_at, polls
        return [t for t in others if self._is_dead(t) or self._silent[t.pk][1] > DEAD_POLLS]

    def _is_dead(self, turn: Unfinished) -> bool:
        """Whether a turn's process is known to be dead, without counting polls."""
        return process.is_alone() or turn.process == self._dead or turn.heartbeat_at is None

    async def _hear(self) -> None:
        floor = self._floors[0]
        notices = await read(_notices_after, floor)
        for notice in notices:
            if notice.pk not in self._heard and notice.process != process.identity:
                publish.hear(notice)
        self._heard = {notice.pk for notice in notices}
        self._floors.append(max(self._heard, default=self._floors[-1]))


@contextmanager
def _logged_failure() -> Iterator[None]:
    """A failed poll must not stop the poller, or recovery stops."""
    try:
        yield
    except UNAVAILABLE as error:
        log.warning("Polling the database failed: %s", detail(error))
    except Exception:  # broad: as above
        log.exception("A poll failed.")


def _last_notice() -> int:
    return Notice.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _notices_after(floor: int) -> list[Notice]:
    return list(Notice.objects.filter(pk__gt=floor).order_by("pk"))


async def compact_search() -> None:
    """Clear deleted entries from the word index."""
    more = await write(search.compact, is_first=True)
    while more:
        more = await write(search.compact, is_first=False)


def tidy() -> None:
    now = timezone.now()
    Notice.objects.filter(created_at__lt=now - NOTICES_KEPT).delete()
    empty = Conversation.objects.filter(leaf=None, created_at__lt=now - EMPTY_KEPT)
    for found in empty.values_list("pk", flat=True)[:EMPTY_AT_ONCE]:
        _remove_empty(found)
    approvals.expire(now - timedelta(days=settings.TALOS_APPROVAL_DAYS))


@transaction.atomic
def _remove_empty(conversation_id: UUID) -> None:
    """Delete a conversation, unless it has got a message meanwhile."""
    held = Conversation.objects.select_for_update().filter(pk=conversation_id, leaf=None).first()
    if held is not None:
        held.delete()
