"""The runner of a process: takes turns, runs each in a task, ends it, takes the next one.

It is woken by what this process writes (`nudge`); what other processes wrote is `poller.py`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any
from uuid import UUID

from django.conf import settings

from chat import publish
from chat.db import process
from chat.db.lanes import UNAVAILABLE, read, write
from chat.errors import Internal, ModelError, TalosError
from chat.llm.catalogue.models import get_catalogue
from chat.models import Turn
from chat.protocol import Done, Error, Outcome, StatusChanged, StatusData
from chat.search.words import words
from chat.turns import loop, recovery, titles, transitions
from chat.turns.blocks import Renderer
from chat.turns.journal import Journal
from chat.turns.live import Entry, LiveTurn, StopReason

log = logging.getLogger(__name__)

LONG = 4 * 1024
"""Code points whose words are looked for in a thread: a millisecond or more."""
STORE_SECONDS = 5
"""How long a database that cannot be written may hold up each step of an end."""


class Runner:
    """One per process. All methods are for the event loop's thread."""

    def __init__(self) -> None:
        self._renderer = Renderer()
        self.journal = Journal(
            on_told=self._renderer.told, on_cancelled=self._cancelled, on_lost=self._lost
        )
        self.draining = False
        self._live: dict[int, LiveTurn] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._titles: dict[UUID, asyncio.Task[None]] = {}
        """Requests for titles under way, by conversation."""
        self._untitled: set[UUID] = set()
        """Conversations whose title was given up for the next answer."""
        self._idle = asyncio.Event()
        self._idle.set()

    def live(self) -> Collection[LiveTurn]:
        """The turns that this process runs."""
        return tuple(self._live.values())

    def runs(self, turn_id: int) -> bool:
        return turn_id in self._live

    def waiting(self, turn_id: int) -> StatusData | None:
        """What was told of a turn's wait that is not over. From any thread."""
        turn = self._live.get(turn_id)
        return turn.waiting if turn else None

    def show_blocks(self, conversation_id: UUID, listener: publish.Listener) -> None:
        """Tell a connection that came the finished blocks of the conversation's live answer."""
        for turn in self.live():
            if turn.conversation_id == conversation_id:
                self._renderer.show(turn, listener)

    # --- taking -----------------------------------------------------------------------------

    async def take_next(self, conversation_id: UUID) -> None:
        """Run the conversation's next turn, if there is one and none is live."""
        if not self.draining:
            self.start(await write(transitions.take_next, conversation_id))

    def start(self, turn: LiveTurn | None) -> None:
        """Run a turn that was taken, if one was."""
        if turn is None:
            return
        if before := self._live.get(turn.turn_id):
            if before.taken > turn.taken:
                return  # this one's commit was not answered, and it was recovered meanwhile
            self._give_up(before)  # freed by another server while this one was frozen, say
        self._live[turn.turn_id] = turn
        self._idle.clear()
        self._give_up_title(turn.conversation_id)
        turn.task = self.background(self._run(turn))

    def decided(self, conversation_id: UUID) -> None:
        """A call was decided: it joins those that its turn runs, if this process runs that."""
        for turn in self.live():
            if turn.conversation_id == conversation_id:
                turn.calls_changed.set()

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in a task that is kept alive and whose failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Background work failed.", exc_info=error)

    # --- stopping ---------------------------------------------------------------------------

    def cancel(self, conversation_id: UUID) -> bool:
        """Stop the conversation's turn at once. False: this process runs none, or lets go of it."""
        found = [turn for turn in self.live() if turn.conversation_id == conversation_id]
        for turn in found:
            self.stop(turn, "cancel")
        return any(not turn.waits for turn in found)

    def stop(self, turn: LiveTurn, reason: StopReason) -> None:
        """Stop a turn; the first reason counts, and none does once its end is on its way."""
        if turn.over or turn.stop:
            return
        turn.stop = reason
        if turn.begun and turn.task is not None:  # a task that has not begun sees it by itself
            turn.task.cancel()

    def _give_up(self, turn: LiveTurn) -> None:
        """It was freed by another process, and taken again here: two must not write it."""
        turn.entries.clear()
        turn.stop = "lost"
        if turn.task is not None:
            turn.task.cancel()

    def _cancelled(self, turn: LiveTurn) -> None:
        self.stop(turn, "cancel")

    def _lost(self, turn: LiveTurn) -> None:
        """The row is gone, or another process has it: nothing of it may be told any more."""
        if turn.over:
            self._forget(turn)
        else:
            self.stop(turn, "lost")

    # --- running ----------------------------------------------------------------------------

    async def _run(self, turn: LiveTurn) -> None:
        """One turn, to its end. Whatever happens, the end goes through the journal."""
        turn.begun = True
        if turn.beginning is not None:
            publish.tell(turn.conversation_id, turn.beginning)
        try:
            if turn.stop:
                raise asyncio.CancelledError
            async with asyncio.timeout(settings.TALOS_TURN_SECONDS):
                length = turn.length
                is_over = await self._answer(turn)
                has_grown = turn.length > length
                if (is_over or has_grown) and publish.wants_blocks(turn.conversation_id):
                    await self.journal.settled(turn)
                    await self._renderer.finish(turn)
        except asyncio.CancelledError:
            await self._stopped(turn)
        except TimeoutError:
            limit = f"more than {settings.TALOS_TURN_SECONDS} seconds (TALOS_TURN_SECONDS)"
            await self._end(turn, "failed", ModelError(f"Stopped: the answer took {limit}."))
        except TalosError as error:
            await self._end(turn, "failed", error)
        except Exception:
            log.exception("A turn failed.")
            await self._end(turn, "failed", Internal())
        else:
            await self._end(turn, "completed") if is_over else self._wait(turn)

    async def _answer(self, turn: LiveTurn) -> bool:
        """Whether it came to its end. What fails because the conversation was deleted meanwhile, at
        whatever point, is no fault: the turn is lost."""
        try:
            return await loop.answer(turn, self.journal)
        except (TalosError, TimeoutError):
            raise
        except Exception:
            if await read(transitions.exists, turn.turn_id):
                raise
            turn.stop = "lost"
            raise asyncio.CancelledError from None

    async def _stopped(self, turn: LiveTurn) -> None:
        if turn.stop == "lost":
            self._forget(turn)
        elif turn.stop == "drain":
            # what is left of it is left as by a server that died: see `recovery.recover`
            self.journal.add(turn, Entry(then=lambda: self._forget(turn)))
        else:
            await self._end(turn, "cancelled")

    async def _end(self, turn: LiveTurn, outcome: Outcome, error: TalosError | None = None) -> None:
        turn.over = True
        found = await _words(turn)
        publish.hold(turn.conversation_id)
        following: list[LiveTurn | None] = []

        def store(seq: int) -> None:
            remark = turn.cut_short if outcome == "completed" else ""
            code, text = (error.code, error.message) if error else ("", remark)
            details = error.details if isinstance(error, ModelError) else ""
            watched = publish.is_watched(turn.conversation_id)
            transitions.finish(
                turn,
                seq,
                status=outcome,
                error_code=code,
                error=text,
                details=details,
                found=found,
                is_watched=watched,
            )
            following[:] = [None if self.draining else transitions.take_next(turn.conversation_id)]

        def told() -> None:
            self.start(following[0])  # first: between two turns nobody shall think that all is over
            self._forget(turn)
            if outcome == "completed" and not self.draining:
                self._want_title(turn, is_next_running=following[0] is not None)

        if error is not None:
            said = error.details if isinstance(error, ModelError) else ""
            told_error = Error(content=error.message, code=error.code, details=said or None)
            self.journal.add(turn, Entry(told_error))
        done = Done(
            message_id=str(turn.message_id),
            status=outcome,
            client_id=turn.client_id,
            usage=turn.usage_view,
        )
        self.journal.add(turn, Entry(done, write=store, ends=True, then=told))

    def _wait(self, turn: LiveTurn) -> None:
        """Let go of a turn that needs a person: whoever finds it ready takes it again."""
        turn.over = turn.waits = True

        def told() -> None:
            self._forget(turn)
            self.background(self.take_next(turn.conversation_id))  # it may be ready already

        data = StatusData(status="waiting_approval", message_id=str(turn.message_id))
        self.journal.add(
            turn, Entry(StatusChanged(data=data), write=lambda _: transitions.wait(turn), then=told)
        )

    # --- titles -----------------------------------------------------------------------------

    def _want_title(self, turn: LiveTurn, *, is_next_running: bool) -> None:
        """Ask for a title after the first answer, or after the next one if that was given up."""
        here = turn.conversation_id
        if not turn.is_first and here not in self._untitled:
            return
        if is_next_running:
            self._untitled.add(here)
            return
        self._untitled.discard(here)
        task = self._titles[here] = self.background(self._entitle(turn))
        task.add_done_callback(lambda _: self._titles.pop(here, None))

    def _give_up_title(self, conversation_id: UUID) -> None:
        """A server that answers one request at a time would let the person wait for a title."""
        if task := self._titles.pop(conversation_id, None):
            task.cancel()
            self._untitled.add(conversation_id)

    async def _entitle(self, turn: LiveTurn) -> None:
        async with get_catalogue().hold() as catalogue:
            try:
                model = await catalogue.resolve(turn.model)
            except TalosError:
                return  # it has vanished since; the opening words stay
            await titles.entitle(turn.conversation_id, model)

    def _forget(self, turn: LiveTurn) -> None:
        if self._live.get(turn.turn_id) is not turn:
            return
        del self._live[turn.turn_id]
        publish.release(turn.conversation_id)
        self._renderer.forget(turn)
        if not self._live:
            self._idle.set()

    # --- ending -----------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Take no new turn, let live ones finish for so long, then stop them."""
        self.draining = True
        if await self._idle_within(seconds):
            return
        for turn in self.live():
            self.stop(turn, "drain")
        await self._idle_within(STORE_SECONDS)
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._free_what_is_left()
        except (TimeoutError, *UNAVAILABLE):
            log.warning("Some answers could not be stored to their end: the next start does it.")

    async def _free_what_is_left(self) -> None:
        for left in await read(transitions.unfinished):
            if left.process == process.identity and left.status == Turn.Status.RUNNING:
                await self.recover(left)

    async def recover(self, turn: transitions.Unfinished) -> None:
        """Free a turn that nobody runs, and tell what became of it."""
        frames = await write(recovery.recover, turn.pk, turn.process, seen_at=turn.heartbeat_at)
        for frame in frames:
            publish.tell(turn.conversation_id, frame)

    async def _idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End what is left in the background."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _words(turn: LiveTurn) -> list[str]:
    """Those of the answer, for the index. Of a long one they take longer than the writer has."""
    if turn.length < LONG:
        return words(turn.text)
    return await asyncio.to_thread(words, turn.text)
