"""Deleting many conversations while the chat is in use.

Each step is one short transaction that deletes whole conversations or a part of a large hidden one.
So a killed process leaves no half conversation visible, and the next run starts with what it left.
A pause between steps lets the server's own writer in. The same transaction notes in the audit row
what was deleted.
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
"""Seconds after which a step deletes no further conversation; a short conversation takes as long. A
waiting writer retries after 1, 2, 5, 10, 15, 20, 25 ms and then less and less often (SQLite's
busy handler), so many short steps delay it less than a few long ones."""
PAUSE = 2
"""The pause after a step, as a multiple of its duration."""
SHORTEST_PAUSE = 0.02


class Prune:
    """One run. Call `step` until it returns None."""

    def __init__(self, rules: Rules, audit: Audit) -> None:
        self.deleted = 0
        self.messages = 0
        self._rules = rules
        self._audit = audit
        """Stored with the first step that deletes something, if not before."""
        self._shares = deque(rules.shares())
        self._waiting: deque[tuple[datetime, UUID]] = deque()
        self._last: tuple[datetime, UUID] | None = None
        self._left: deque[UUID] | None = None
        """Hidden conversations that still have rows. None until those of earlier runs are looked up."""
        self._rest: Work | None = None
        """The remaining work on the first of them."""

    def step(self) -> float | None:
        """Delete some conversations. Return the seconds until the next step, or None when done."""
        if self._left is None:
            self._left = deque(hidden.list_leaving())
        if self._left:
            return self._continue(self._left)
        if not self._waiting and not self._find():
            return None
        started = perf_counter()
        with transaction.atomic():
            messages, tried = self._delete_some(started)
            deleted = len(messages)
            if deleted:
                self._note(self.deleted + deleted, self.messages + sum(messages))
        for _ in range(tried):
            self._waiting.popleft()
        self.deleted += deleted
        self.messages += sum(messages)
        return max(SHORTEST_PAUSE, PAUSE * (perf_counter() - started)) if deleted else 0.0

    def _continue(self, left: deque[UUID]) -> float:
        self._rest = self._rest or hidden.remaining_work(left[0])
        pause = step(self._rest)
        if pause is None:
            left.popleft()
            self._rest = None
        return pause or 0.0

    def _find(self) -> bool:
        """Find the next conversations, outside any transaction. Return False if there are none."""
        while self._shares:
            self._waiting.extend(self._shares[0].after(self._last))
            if self._waiting:
                self._last = self._waiting[-1]
                return True
            self._shares.popleft()
            self._last = None
        return False

    def _delete_some(self, started: float) -> tuple[list[int], int]:
        """Delete some. Return the message count of each deleted one, and how many were tried."""
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
    """Delete a conversation if it still may go. Return its message count, or None if it stays.

    A send locks the conversation's row, so its turns cannot change before this transaction ends.
    """
    still_due = share.conversations().select_for_update(skip_locked=True, of=("self",))
    conversation = still_due.filter(pk=conversation_id).first()
    if conversation is None:
        return None
    if Turn.objects.filter(conversation=conversation).unfinished().exists():
        return None
    return services.remove(conversation)
