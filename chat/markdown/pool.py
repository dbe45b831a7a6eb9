"""Renders texts in a few workers, which conversations share in turn.

A conversation gets at most all workers but one. So do, all together, the conversations whose texts
killed a worker within the hour: nobody else waits for them. Each worker has a thread that feeds it;
callers wait for a future, for as long as they like.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Thread

from chat.markdown.asking import Asking, Known
from chat.markdown.jobs import MAX_MARKDOWN, Job, Outcome, plain
from chat.markdown.memory import Memory
from chat.markdown.processes import Template

log = logging.getLogger(__name__)

WORKERS = 3
MOST_WAITING = 300
"""Texts of one conversation: enough for a few pages."""
PATIENCE = 5.0
"""Seconds that a caller waits for texts: far more than they take, unless the machine is busy."""
IDLE = 60.0
"""Seconds after which an idle worker is stopped."""


@dataclass(eq=False)
class _Task:
    key: Hashable
    job: Job
    digest: bytes
    known: Known
    future: Future[Outcome] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # others may wait for it too


class Pool:
    """A pool of workers, for any thread. Processes and threads are started when needed."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._workers = workers
        self._template = Template()
        self._changed = Condition()
        """Guards all of the following."""
        self._threads: list[Thread] = []
        self._idle = 0
        self._closed = False
        self._waiting: OrderedDict[Hashable, deque[_Task]] = OrderedDict()
        """Waiting tasks by conversation; the one whose turn it is comes first."""
        self._asked: dict[tuple[Hashable, bytes], _Task] = {}
        """Tasks that wait or are being rendered."""
        self._running: Counter[Hashable] = Counter()
        self._known: Memory[bytes, Known] = Memory()
        """Texts that have killed workers."""
        self._suspects: Memory[Hashable, None] = Memory()
        """Conversations with such texts."""

    def submit(self, key: Hashable, job: Job) -> Future[Outcome]:
        """Render a text of a conversation. The future never fails and is never cancelled."""
        digest = job.digest
        with self._changed:
            if (asked := self._asked.get((key, digest))) is not None:
                return asked.future
            until, known = self._known.find(digest) or (0.0, Known())
            task = _Task(key, job, digest, known)
            waiting = self._waiting.get(key, ())
            if known.is_hopeless:
                task.future.set_result(Outcome.plain(job, until=until))
            elif self._closed or len(waiting) >= MOST_WAITING:
                task.future.set_result(Outcome.plain(job, until=0))
            else:
                self._asked[key, digest] = task
                self._waiting.setdefault(key, deque()).append(task)
                self._wake()
        return task.future

    async def ask(self, key: Hashable, job: Job) -> Outcome:
        """Render a text, on the event loop."""
        return await asyncio.wrap_future(self.submit(key, job))

    async def ask_in_time(self, key: Hashable, job: Job) -> Outcome:
        """Render a text, but return it as plain text if that takes too long."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.ask(key, job)
        except TimeoutError:
            return Outcome.plain(job, until=0)

    def _wake(self) -> None:
        if not self._idle and len(self._threads) < self._workers:
            name = f"talos-markdown-{len(self._threads)}"
            thread = Thread(target=self._serve, name=name, daemon=True)
            with suppress(RuntimeError):  # no thread can be started: the others do the work
                thread.start()
                self._threads.append(thread)
        if not self._threads:
            self._give_up()
        self._changed.notify()

    def _serve(self) -> None:
        """Run a thread that feeds one worker."""
        asking = Asking(self._template)
        while (task := self._take(asking)) is not None:
            outcome, known = Outcome.plain(task.job, until=0), task.known
            try:
                outcome, known = asking.ask(task.job, task.known)
            except Exception:
                log.exception("A text is shown plain, as it could not be rendered.")
            with self._changed:
                if known != task.known:
                    self._known.note(task.digest, known)
                    self._suspects.note(task.key, None)
                self._running -= Counter({task.key: 1})
                del self._asked[task.key, task.digest]
                self._changed.notify_all()
            task.future.set_result(outcome)
        asking.close()

    def _take(self, asking: Asking) -> _Task | None:
        """Wait for the next task that may run. None: no more will come."""
        with self._changed:
            while (task := self._next()) is None:
                if self._closed:
                    return None
                self._idle += 1
                has_slept = not self._changed.wait(IDLE)
                self._idle -= 1
                if has_slept:
                    asking.close()
            self._running[task.key] += 1
            if self._waiting:
                self._wake()  # several may have come while one thread was idle
            return task

    def _next(self) -> _Task | None:
        """Return the next task, from each conversation in turn that may have a worker."""
        for key, tasks in self._waiting.items():
            if self._may_run(key):
                if len(tasks) > 1:
                    self._waiting.move_to_end(key)
                else:
                    del self._waiting[key]
                return tasks.popleft()
        return None

    def _may_run(self, key: Hashable) -> bool:
        used = self._running[key]
        if key in self._suspects:
            used = sum(number for other, number in self._running.items() if other in self._suspects)
        return used < self._workers - 1

    def _give_up(self) -> None:
        """Return all waiting texts as plain text."""
        for tasks in self._waiting.values():
            for task in tasks:
                del self._asked[task.key, task.digest]
                task.future.set_result(Outcome.plain(task.job, until=0))
        self._waiting.clear()

    def close(self) -> None:
        """End the processes, and give up the tasks that wait."""
        with self._changed:
            self._closed = True
            self._give_up()
            self._changed.notify_all()
        self._template.close()


pool = Pool()
"""The pool of this process."""
atexit.register(pool.close)


async def render_reply(key: Hashable, content: str) -> str:
    """Render a slash command's answer. Its links go only to our own pages."""
    if len(content) > MAX_MARKDOWN:
        return plain(content)
    return (await pool.ask_in_time(key, Job("reply", content))).html
