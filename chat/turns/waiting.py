"""Notes for a page while a model sends nothing: what it waits for, and since when."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import TracebackType

from django.utils import timezone

from chat.protocol import StatusData, TurnStatus
from chat.turns.journal import Journal
from chat.turns.live import LiveTurn

EVERY = 10.0
"""Seconds: the longest silence without a note, and the shortest time between two notes."""
FOR_THE_MODEL = "Waiting for the model"


class WaitNotes:
    """Sends notes about the waits of one request, inside a `with` block.

    A wait is a silence: it begins when the model last sent something, `heard_at`, and ends when
    that changes.
    """

    def __init__(self, turn: LiveTurn, journal: Journal) -> None:
        self._turn = turn
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._reason = ""
        """The client's own reason for the wait of `_reason_for`, not sent yet."""
        self._reason_for = 0.0

    def __enter__(self) -> WaitNotes:
        self._turn.heard_at = self._loop.time()
        self._check_at(self._turn.heard_at + EVERY)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._turn.noted_wait = None

    def say(self, note: str) -> None:
        """Note why the client waits: that is the latest news."""
        self._reason, self._reason_for = note, self._turn.heard_at
        self._check()

    def _check(self) -> None:
        now, turn = self._loop.time(), self._turn
        reason = self._reason if self._reason_for == turn.heard_at else ""
        may = turn.noted_at + EVERY
        due = may if reason else max(may, turn.heard_at + EVERY)
        if now < due:
            self._check_at(due)
            return
        if reason or turn.noted_wait != turn.heard_at:
            self._tell(reason or FOR_THE_MODEL, now)
        self._check_at(now + EVERY)

    def _tell(self, note: str, now: float) -> None:
        turn = self._turn
        self._reason = ""
        turn.noted_at, turn.noted_wait = now, turn.heard_at
        since = timezone.now() - timedelta(seconds=now - turn.heard_at)
        turn.last_note = StatusData(
            status=self._status(),
            message_id=str(turn.message_id),
            note=note,
            since=since.isoformat(timespec="milliseconds"),
        )
        self._journal.status(turn, turn.last_note)

    def _status(self) -> TurnStatus:
        border = self._turn.borders[-1] if self._turn.borders else 0
        return "responding" if self._turn.length > border else "thinking"

    def _check_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._check)
