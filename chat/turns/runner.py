"""The runner of a process: takes turns, runs each in a task, ends it, and takes the next one.

This process's own writes wake it (`nudge`); `poller.py` finds the writes of other processes.
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
from chat.models import Turn
from chat.protocol import Error, Outcome, StatusChanged, StatusData
from chat.search.words import words
from chat.turns import loop, recovery, transitions
from chat.turns.blocks import Renderer
from chat.turns.ends import done
from chat.turns.journal import Journal
from chat.turns.live import Entry, LiveTurn, StopReason
from chat.turns.titling import Titling

log = logging.getLogger(__name__)

LONG = 4 * 1024
"""Code points from which a text is split into words in a thread: a millisecond or more."""
STORE_SECONDS = 5
"""How long each step of a shutdown waits for a database that cannot be written."""


class Runner:
    """One per process. All methods are for the event loop's thread."""

    def __init__(self) -> None:
        self._renderer = Renderer()
        self.journal = Journal(
            on_told=self._renderer.render_more,
            on_cancelled=self._on_cancelled,
            on_lost=self._on_lost,
        )
        self.draining = False
        self._live: dict[int, LiveTurn] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._titling = Titling(self.background)
        self._idle = asyncio.Event()
        self._idle.set()

    def live(self) -> Collection[LiveTurn]:
        """The turns that this process runs."""
        return tuple(self._live.values())

    def runs(self, turn_id: int) -> bool:
        return turn_id in self._live

    def waiting(self, turn_id: int) -> StatusData | None:
        """The last note about a turn's wait, if it still waits. From any thread."""
        turn = self._live.get(turn_id)
        return turn.waiting if turn else None

    def show_blocks(self, conversation_id: UUID, listener: publish.Listener) -> None:
        """Send a new connection the finished blocks of the conversation's live answer."""
        for turn in self.live():
            if turn.conversation_id == conversation_id:
                self._renderer.show(turn, listener)

    # --- taking -----------------------------------------------------------------------------

    async def take_next(self, conversation_id: UUID) -> None:
        """Run the conversation's next turn, if there is one and no other is live."""
        if not self.draining:
            self.start(await write(transitions.take_next, conversation_id))

    def start(self, turn: LiveTurn | None) -> None:
        """Run a turn that was taken, if one was."""
        if turn is None:
            return
        if before := self._live.get(turn.turn_id):
            if before.taken > turn.taken:
                return  # this one's commit was not answered, and the turn was recovered meanwhile
            self._give_up(before)  # for example, freed by another server while this one was frozen
        self._live[turn.turn_id] = turn
        self._idle.clear()
        self._titling.put_off(turn.conversation_id)
        turn.task = self.background(self._run(turn))

    def wake_calls(self, conversation_id: UUID) -> None:
        """Tell the conversation's turn, if it runs here, that a call was decided."""
        for turn in self.live():
            if turn.conversation_id == conversation_id:
                turn.calls_changed.set()

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in a task that is kept alive and whose failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_finished)
        return task

    def _on_finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Background work failed.", exc_info=error)

    # --- stopping ---------------------------------------------------------------------------

    def cancel(self, conversation_id: UUID) -> bool:
        """Stop the conversation's turn at once. False: none runs here, or it is being released."""
        found = [turn for turn in self.live() if turn.conversation_id == conversation_id]
        for turn in found:
            self.stop(turn, "cancel")
        return any(not turn.waits for turn in found)

    def stop(self, turn: LiveTurn, reason: StopReason) -> None:
        """Stop a turn. The first reason counts, and none does once the turn is over."""
        if turn.over or turn.stop:
            return
        turn.stop = reason
        if turn.begun and turn.task is not None:  # a task that has not begun checks `stop` itself
            turn.task.cancel()

    def _give_up(self, turn: LiveTurn) -> None:
        """Drop a turn that another process freed and this one took again: only one may write it."""
        turn.entries.clear()
        turn.stop = "lost"
        if turn.task is not None:
            turn.task.cancel()

    def _on_cancelled(self, turn: LiveTurn) -> None:
        self.stop(turn, "cancel")

    def _on_lost(self, turn: LiveTurn) -> None:
        """The row is gone, or another process has it: send no more of its frames."""
        if turn.over:
            self._forget(turn)
        else:
            self.stop(turn, "lost")

    # --- running ----------------------------------------------------------------------------

    async def _run(self, turn: LiveTurn) -> None:
        """Run one turn to its end. Whatever happens, the end goes through the journal."""
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
                    await self.journal.flush(turn)
                    await self._renderer.finish(turn)
        except asyncio.CancelledError:
            await self._end_stopped(turn)
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
        """Run the turn's rounds. Returns whether it is over. If it fails because the conversation was
        deleted meanwhile, that is no error: the turn is lost."""
        try:
            return await loop.answer(turn, self.journal)
        except (TalosError, TimeoutError):
            raise
        except Exception:
            if await read(transitions.exists, turn.turn_id):
                raise
            turn.stop = "lost"
            raise asyncio.CancelledError from None

    async def _end_stopped(self, turn: LiveTurn) -> None:
        if turn.stop == "lost":
            self._forget(turn)
        elif turn.stop == "drain":
            # its rows are left as a server that died leaves them: see `recovery.recover`
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
            transitions.finish(
                turn,
                seq,
                status=outcome,
                error_code=code,
                error=text,
                details=details,
                found=found,
                is_watched=publish.is_watched(turn.conversation_id),
            )
            following[:] = [None if self.draining else transitions.take_next(turn.conversation_id)]

        def start_next() -> None:
            self.start(following[0])  # start the next turn first, so the runner never looks idle
            self._forget(turn)
            if outcome == "completed" and not self.draining:
                self._titling.want(turn, is_next_running=following[0] is not None)

        if error is not None:
            details = error.details if isinstance(error, ModelError) else ""
            frame = Error(content=error.message, code=error.code, details=details or None)
            self.journal.add(turn, Entry(frame))
        end = done(turn, outcome, turn.usage_view)
        self.journal.add(turn, Entry(end, write=store, ends=True, then=start_next))

    def _wait(self, turn: LiveTurn) -> None:
        """Release a turn that needs a person: the server that finds it ready takes it again."""
        turn.over = turn.waits = True

        def release() -> None:
            self._forget(turn)
            self.background(self.take_next(turn.conversation_id))  # it may be ready already

        data = StatusData(status="waiting_approval", message_id=str(turn.message_id))
        frame = StatusChanged(data=data)
        entry = Entry(frame, write=lambda _: transitions.wait(turn), then=release)
        self.journal.add(turn, entry)

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
        """Take no new turns, give live ones so many seconds to finish, then stop them."""
        self.draining = True
        if await self._idle_within(seconds):
            return
        for turn in self.live():
            self.stop(turn, "drain")
        await self._idle_within(STORE_SECONDS)
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._free_the_rest()
        except (TimeoutError, *UNAVAILABLE):
            log.warning("The ends of some answers could not be stored: the next start does it.")

    async def _free_the_rest(self) -> None:
        for left in await read(transitions.unfinished):
            if left.process == process.identity and left.status == Turn.Status.RUNNING:
                await self.recover(left)

    async def recover(self, turn: transitions.Unfinished) -> None:
        """Free a turn that no process runs, and send the frames that say so."""
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
        """Cancel all background tasks."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _words(turn: LiveTurn) -> list[str]:
    """The words of the answer, for the index. Those of a long one would hold up the writer."""
    if turn.length < LONG:
        return words(turn.text)
    return await asyncio.to_thread(words, turn.text)
