"""Commit, then send: the only way from a running turn to the people who watch it.

Each tick is one transaction for all turns of the process: it appends their new pieces and reads
which of them were cancelled or lost meanwhile. Then the frames go out. So all that a client has
seen is stored, and a snapshot's `seq` says exactly what it includes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from chat import publish
from chat.db.lanes import UNAVAILABLE, detail, explain, write
from chat.db.postgresql import OutcomeUnknown
from chat.protocol import StatusChanged, StatusData, TurnStatus
from chat.turns import pieces
from chat.turns.batches import Batch, drain
from chat.turns.commits import Attempt, Verdict, commit
from chat.turns.live import Entry, LiveTurn

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits between attempts while the database cannot be written; the last one repeats."""


class Journal:
    """One per process. All methods are for the event loop's thread."""

    def __init__(
        self,
        *,
        on_told: Callable[[LiveTurn], None],
        on_cancelled: Callable[[LiveTurn], None],
        on_lost: Callable[[LiveTurn], None],
    ) -> None:
        self._on_told = on_told
        """Called when text was sent; `LiveTurn.told` is the total."""
        self._on_cancelled = on_cancelled
        self._on_lost = on_lost
        self._dirty: dict[int, LiveTurn] = {}
        self._wake = asyncio.Event()

    def add(self, turn: LiveTurn, entry: Entry | str) -> None:
        """Commit and send an entry after all earlier ones. A string is a piece of the answer."""
        if turn.stop == "lost":
            return
        turn.entries.append(entry)
        self._dirty[turn.turn_id] = turn
        self._wake.set()

    def text(self, turn: LiveTurn, content: str) -> None:
        """Add a piece of the answer."""
        turn.append(content)
        self.add(turn, content)

    def reasoning(self, turn: LiveTurn, content: str) -> None:
        """Add a piece of the model's reasoning."""
        turn.reasoning.append(content)
        self.add(turn, Entry(reasoning=content))

    def status(self, turn: LiveTurn, status: TurnStatus | StatusData) -> None:
        if isinstance(status, str):
            status = StatusData(status=status, message_id=str(turn.message_id))
        self.add(turn, Entry(frame=StatusChanged(data=status)))

    async def flush(self, turn: LiveTurn) -> None:
        """Wait until everything added so far is committed and sent."""
        is_flushed = asyncio.Event()
        self.add(turn, Entry(then=is_flushed.set))
        await is_flushed.wait()

    async def run(self) -> None:
        """Tick forever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(await self.tick())

    async def tick(self) -> float:
        """Commit once, then send the frames. Returns the pause before the next tick."""
        self._wake.clear()
        batches = [drain(turn) for turn in self._dirty.values()]
        self._dirty.clear()
        verdict = await self._commit(batches)
        for batch in batches:
            try:
                self._tell(batch, verdict)
            except Exception:  # broad: one turn's failure must not hold up the others
                log.exception("Frames of a turn that were committed could not be sent.")
        return verdict.pause

    async def _commit(self, batches: list[Batch], attempt: Attempt | None = None) -> Verdict:
        waits = iter(RETRY_SECONDS)
        wait = 0.0
        attempt = attempt or Attempt()
        while True:
            try:
                verdict = await write(commit, batches, attempt)
            except UNAVAILABLE as error:
                # locked, full, read-only or away: nothing is sent before it is stored
                if not wait:
                    log.warning("Answers wait until they can be stored: %s", detail(error))
                if isinstance(error, OutcomeUnknown):
                    attempt.unknown = error
                attempt.explain(batches, explain(error))
                wait = next(waits, wait)
                await asyncio.sleep(wait)
            except Exception:  # broad: a row that is refused costs one turn, not all
                if len(batches) == 1:
                    log.exception("A turn cannot be stored and is given up.")
                    return Verdict({}, 0.0)
                verdicts = [await self._commit([batch], attempt) for batch in batches]
                return Verdict(
                    {turn: flag for found in verdicts for turn, flag in found.cancelled.items()},
                    sum(found.pause for found in verdicts),
                )
            else:
                if wait:
                    log.warning("Answers can be stored again.")
                return verdict

    def _tell(self, batch: Batch, verdict: Verdict) -> None:
        turn = batch.turn
        cancelled = verdict.cancelled.get(turn.turn_id)
        if cancelled is None:
            self._on_lost(turn)
            return
        pieces.note_committed(batch)
        for frame in batch.frames:
            publish.tell(turn.conversation_id, frame)
        if batch.text:
            turn.told += len(batch.text)
            self._on_told(turn)
        for then in batch.then:
            then()
        if cancelled:
            self._on_cancelled(turn)
