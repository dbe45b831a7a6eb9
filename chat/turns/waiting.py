"""What a page is told while nothing comes from a model: on whom it waits, and since when."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import TracebackType

from django.utils import timezone

from chat.protocol import StatusData, TurnStatus
from chat.turns.journal import Journal
from chat.turns.live import LiveTurn

EVERY = 10.0
"""Seconds: the longest silence without a word about it, and the least time between two."""
FOR_THE_MODEL = "Waiting for the model"


class WaitNotes:
    """Tells of the waits of one request, as long as it is entered."""

    def __init__(self, turn: LiveTurn, journal: Journal) -> None:
        self._turn = turn
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._asked: tuple[str, float] | None = None
        """A note that the client gave and that was not told yet, and when."""
        self._told_of = -1.0
        """The wait that was told: by when something came last."""

    def __enter__(self) -> WaitNotes:
        self._turn.heard_at = self._loop.time()
        self._look_at(self._turn.heard_at + EVERY)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._turn.waiting = None

    def say(self, note: str) -> None:
        """The client waits, and says why."""
        self._asked = (note, self._loop.time())
        self._look()

    def _look(self) -> None:
        now, turn = self._loop.time(), self._turn
        may = turn.noted_at + EVERY
        due = may if self._asked else max(may, turn.heard_at + EVERY)
        if now < due:
            self._look_at(due)
            return
        note, since = self._asked or (FOR_THE_MODEL, turn.heard_at)
        if self._asked or self._told_of != turn.heard_at:
            self._tell(note, now - since)
            self._asked, self._told_of = None, turn.heard_at
        self._look_at(now + EVERY)

    def _tell(self, note: str, seconds: float) -> None:
        turn, status = self._turn, self._status()
        turn.noted_at = self._loop.time()
        since = timezone.now() - timedelta(seconds=seconds)
        turn.waiting = StatusData(
            status=status,
            message_id=str(turn.message_id),
            note=note,
            since=since.isoformat(timespec="milliseconds"),
        )
        self._journal.status(turn, turn.waiting)

    def _status(self) -> TurnStatus:
        border = self._turn.borders[-1] if self._turn.borders else 0
        return "responding" if self._turn.length > border else "thinking"

    def _look_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._look)
