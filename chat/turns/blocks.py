"""Finished blocks of live answers, rendered for the connections that asked for them.

Only text that was sent is rendered, so a block shows nothing that is not stored. Its cost limits
how often that happens. Only the end of an answer, or its wait for a person, waits for the last
block, and not for ever. A text that takes more than its share gets no more blocks; the page fetches
the answer when it is over.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise

from chat import publish
from chat.markdown.jobs import MAX_MARKDOWN, Block, Job
from chat.markdown.pool import PATIENCE, pool
from chat.protocol import FRAME_TEXT_BYTES, BlockData, BlockFinished
from chat.protocol.sizes import json_size
from chat.turns.live import LiveTurn

PAUSE = 9
"""After a render that took t of a processor, the next starts no earlier than 9 t later: rendering
costs a turn at most a tenth of a core."""
SHORTEST_PAUSE = 0.1
"""Seconds. Readers notice no difference below this."""


_TOO_LONG = "<p>This part is too long to be shown before the answer is finished.</p>"


class Renderer:
    """One per process. All methods are for the event loop's thread."""

    def __init__(self) -> None:
        self._live: dict[int, TurnBlocks] = {}

    def render_more(self, turn: LiveTurn) -> None:
        """Render the text that was sent, if a connection wants blocks."""
        if publish.wants_blocks(turn.conversation_id):
            self._of(turn).render_soon()

    def show(self, turn: LiveTurn, listener: publish.Listener) -> None:
        """Send a new connection the blocks of a running turn that are already finished."""
        self._of(turn).show(listener)

    async def finish(self, turn: LiveTurn) -> None:
        """Send the last block of an answer that is complete, or waits for a person."""
        if publish.wants_blocks(turn.conversation_id):
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._of(turn).render(is_whole=True)

    def forget(self, turn: LiveTurn) -> None:
        if (found := self._live.pop(turn.turn_id, None)) is not None:
            found.close()

    def _of(self, turn: LiveTurn) -> TurnBlocks:
        return self._live.setdefault(turn.turn_id, TurnBlocks(turn))


class TurnBlocks:
    """The blocks of one running turn."""

    def __init__(self, turn: LiveTurn) -> None:
        self._turn = turn
        self._frames: list[BlockFinished] = []
        self._end = 0
        """Code points that blocks cover."""
        self._rendered_to = 0
        """Code points that had been sent at the last render."""
        self._is_plain = False
        """Rendering took too long: no more blocks."""
        self._cpu = 0.0
        """Processor seconds that the last render took."""
        self._rendering = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def show(self, listener: publish.Listener) -> None:
        for frame in self._frames:
            listener.deliver(None, frame.encode())
        self.render_soon()

    def render_soon(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._render_while_it_grows())

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _render_while_it_grows(self) -> None:
        pause = SHORTEST_PAUSE
        while self._rendered_to < self._turn.told:
            await asyncio.sleep(pause)
            await self.render()
            pause = max(SHORTEST_PAUSE, PAUSE * self._cpu)

    async def render(self, *, is_whole: bool = False) -> None:
        """Send the blocks that are finished now, and the last one too if the answer is complete."""
        turn = self._turn
        async with self._rendering:
            self._rendered_to = turn.told
            self._cpu = 0.0
            if turn.told > MAX_MARKDOWN:
                return  # it is shown as plain text
            text = turn.text[: turn.told]
            for begin, end in self._stretches(len(text)):
                is_closed = is_whole or end in turn.borders
                if not await self._render(text[begin:end], begin, is_closed=is_closed):
                    return

    def _stretches(self, told: int) -> list[tuple[int, int]]:
        """The text that no block covers yet, split at the tool calls: no block spans one."""
        borders = [border for border in self._turn.borders if self._end < border < told]
        return list(pairwise([self._end, *borders, told]))

    async def _render(self, text: str, begin: int, *, is_closed: bool) -> bool:
        """Send the blocks of a stretch. False: it is shown as plain text, for now or for good."""
        if self._is_plain:
            return False
        outcome = await pool.ask(self._turn.conversation_id, Job("blocks", text, is_closed))
        self._cpu += outcome.cpu
        self._is_plain = outcome.blocks is None and outcome.until != 0
        for block in outcome.blocks or ():
            self._tell(Block(block.html, begin + block.end))
        return outcome.blocks is not None

    def _tell(self, block: Block) -> None:
        message_id, index = str(self._turn.message_id), len(self._frames)
        html = block.html if json_size(block.html) <= FRAME_TEXT_BYTES else _TOO_LONG
        data = BlockData(message_id=message_id, index=index, html=html, end=block.end)
        self._frames.append(BlockFinished(data=data))
        self._end = block.end
        publish.tell_rendered(self._turn.conversation_id, self._frames[-1])
