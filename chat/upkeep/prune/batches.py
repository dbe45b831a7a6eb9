"""Deleting many conversations beside a chat that goes on.

Each step is one short transaction, of whole conversations or of a part of a large one that nobody
sees any more: a process that is killed leaves no half one to be seen, and the next run begins with
what it left. Between steps there is a pause that lets the server's own writer in. What a step
deleted stands in the audit row, written in that same transaction.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from time import perf_counter
from uuid import UUID

from django.db import transaction

from chat import services
from chat.models import Audit, Turn
from chat.services import hidden
from chat.services.steps import Work, step
from chat.upkeep.prune.rules import Rules, Share

HOLD = 0.005
"""Seconds after which a step deletes no further conversation: one of a few messages takes as long.
A writer that waits looks again after 1, 2, 5, 10, 15, 20, 25 ms and later less and less often
(SQLite's way), so many short steps hold it up less than a few long ones."""
PAUSE = 2
"""Times that a step took until the next one."""
SHORTEST_PAUSE = 0.02


class Prune:
    """One run. `step` until it returns None."""

    def __init__(self, rules: Rules, audit: Audit) -> None:
        self.deleted = 0
        self.messages = 0
        self._rules = rules
        self._audit = audit
        """Stored with the first step that deletes something, unless it is already."""
        self._shares = deque(rules.shares())
        self._waiting: deque[tuple[datetime, UUID]] = deque()
        self._last: tuple[datetime, UUID] | None = None
        self._left: deque[UUID] | None = None
        """Those that are hidden and have rows yet. None: nobody has looked what earlier runs left."""
        self._rest: Work | None = None
        """Of the first of these."""

    def step(self) -> float | None:
        """Delete some conversations; the seconds until there may be another step."""
        if self._left is None:
            self._left = deque(hidden.list_leaving())
        if self._left:
            return self._clear(self._left)
        if not self._waiting and not self._find():
            return None
        started = perf_counter()
        with transaction.atomic():
            messages, tried = self._some(started)
            deleted = len(messages)
            if deleted:
                self._note(self.deleted + deleted, self.messages + sum(messages))
        for _ in range(tried):
            self._waiting.popleft()
        self.deleted += deleted
        self.messages += sum(messages)
        return max(SHORTEST_PAUSE, PAUSE * (perf_counter() - started)) if deleted else 0.0

    def _clear(self, left: deque[UUID]) -> float:
        self._rest = self._rest or hidden.remaining_work(left[0])
        pause = step(self._rest)
        if pause is None:
            left.popleft()
            self._rest = None
        return pause or 0.0

    def _find(self) -> bool:
        """Find the next conversations, outside any transaction. False: there are none."""
        while self._shares:
            self._waiting.extend(self._shares[0].after(self._last))
            if self._waiting:
                self._last = self._waiting[-1]
                return True
            self._shares.popleft()
            self._last = None
        return False

    def _some(self, started: float) -> tuple[list[int], int]:
        """The messages of each conversation that was deleted, and how many were tried."""
        messages: list[int] = []
        for tried, (_, conversation_id) in enumerate(self._waiting, 1):
            gone = _remove(self._shares[0], conversation_id)
            if gone is not None:
                messages.append(gone)
                if self._left is not None and hidden.state_of(conversation_id):
                    self._left.append(conversation_id)
            if perf_counter() - started > HOLD:
                return messages, tried
        return messages, len(self._waiting)

    def _note(self, deleted: int, messages: int) -> None:
        self._audit.summary = f"{self._rules}: {deleted:,} with {messages:,} messages were deleted."
        self._audit.save()


def _remove(share: Share, conversation_id: UUID) -> int | None:
    """Delete a conversation, if it may still go; its messages. None: it stays.

    Whoever says something in it holds its row for that, or waits for it: so what is seen here of
    its turns holds until the end of the transaction.
    """
    still_going = share.conversations().select_for_update(skip_locked=True, of=("self",))
    conversation = still_going.filter(pk=conversation_id).first()
    if conversation is None:
        return None
    if Turn.objects.filter(conversation=conversation).unfinished().exists():
        return None
    return services.remove(conversation)
