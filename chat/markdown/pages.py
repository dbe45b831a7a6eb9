"""The texts of a page: some are stored, and the others are rendered side by side.

A page waits until its texts have taken `SECONDS` in all, unless too many others wait: each holds a
thread that serves pages. A text that is not ready by then is shown as plain text this time; its
rendering goes on, and the result is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from functools import partial
from threading import BoundedSemaphore
from time import monotonic
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from chat.markdown import kept
from chat.markdown.jobs import MAX_MARKDOWN, Block, Job, Outcome, plain
from chat.markdown.kept import Place
from chat.markdown.pool import PATIENCE, pool

SECONDS = 1.0
"""Processor seconds."""
CHECK_EVERY = 0.05
"""Seconds between two checks of the time taken. Every page waits this long."""
MOST_WAITING = 4
"""Pages that may wait longer at the same time: a quarter of the threads."""

_seats = BoundedSemaphore(MOST_WAITING)


class Page:
    """Renders the texts of one page. Request all of them first, then call the returned functions."""

    def __init__(self, conversation_id: UUID, messages: Collection[UUID]) -> None:
        self._conversation_id = conversation_id
        self._kept = kept.find(messages)
        self._began = monotonic()
        self._asked: list[Future[Outcome]] = []

    def text(self, message_id: UUID, begin: int, text: str) -> Callable[[], SafeString]:
        """Request a finished text of a message."""
        place, key = Place(message_id, begin), kept.key(text)
        if len(text) > MAX_MARKDOWN:
            return partial(mark_safe, plain(text))
        if (html := self._kept.get((place, key))) is not None:
            return partial(mark_safe, html)
        job = Job("text", text)
        future = self._submit(job)
        future.add_done_callback(lambda done: kept.keep(place, key, done.result()))
        return lambda: mark_safe(self._outcome(job, future).html)  # noqa: S308  # cleaned

    def blocks(self, text: str, *, is_whole: bool) -> Callable[[], tuple[Block, ...]]:
        """Request the finished blocks of a text that may still grow."""
        job = Job("blocks", text, is_whole)
        future = self._submit(job)
        return lambda: self._outcome(job, future).blocks or ()

    def _submit(self, job: Job) -> Future[Outcome]:
        self._asked.append(pool.submit(self._conversation_id, job))
        return self._asked[-1]

    def _outcome(self, job: Job, future: Future[Outcome]) -> Outcome:
        wait([future], max(0.0, self._began + CHECK_EVERY - monotonic()))
        if not future.done() and _seats.acquire(blocking=False):
            try:
                while not future.done() and self._goes_on():
                    wait([future], CHECK_EVERY)
            finally:
                _seats.release()
        return future.result() if future.done() else Outcome.plain(job, until=0)

    def _goes_on(self) -> bool:
        took = sum(future.result().cpu for future in self._asked if future.done())
        return took < SECONDS and monotonic() < self._began + PATIENCE
