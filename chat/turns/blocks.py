"""Finished blocks of live answers, rendered for the connections that asked for them.

Only text that was told is looked at, so a block shows nothing that is not stored. How often is
bounded by what it costs. Nobody waits for a block but the end of an answer, and its wait for a
person, and those not for ever: so the last one comes before them. A text that takes more than its
share has no more blocks; the page fetches the answer at its end.
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
"""A look at a growing answer that took t of a processor is followed by the next no earlier than 9 t
later: rendering costs a turn at most a tenth of a core."""
SHORTEST_PAUSE = 0.1
"""Seconds. A reader sees no difference to less."""


_TOO_LONG = "<p>This part is too long to be shown before the answer is finished.</p>"


class Renderer:
    """One per process. All methods are for the event loop's thread."""

    def __init__(self) -> None:
        self._live: dict[int, TurnBlocks] = {}

    def told(self, turn: LiveTurn) -> None:
        """More text of a turn was told: have it looked at, where somebody wants blocks."""
        if publish.wants_blocks(turn.conversation_id):
            self._of(turn).render_soon()

    def show(self, turn: LiveTurn, listener: publish.Listener) -> None:
        """Tell a connection that came to a running turn the blocks that are finished already."""
        self._of(turn).show(listener)

    async def finish(self, turn: LiveTurn) -> None:
        """The answer is whole, or waits for a person; and told. Tell its last block too."""
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
        """Code points told when the text was last looked at."""
        self._is_plain = False
        """It took too long: no more blocks."""
        self._cpu = 0.0
        """Seconds of a processor that the last render took."""
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
        """Tell the blocks that are finished now; the last one too, where the answer is whole."""
        turn = self._turn
        async with self._rendering:
            self._rendered_to = turn.told
            self._cpu = 0.0
            if turn.told > MAX_MARKDOWN:
                return  # it will be shown as plain text
            text = turn.text[: turn.told]
            for begin, end in self._stretches(len(text)):
                is_closed = is_whole or end in turn.borders
                if not await self._render(text[begin:end], begin, is_closed=is_closed):
                    return

    def _stretches(self, told: int) -> list[tuple[int, int]]:
        """What no block covers yet, between the tool calls: none goes across one."""
        borders = [border for border in self._turn.borders if self._end < border < told]
        return list(pairwise([self._end, *borders, told]))

    async def _render(self, text: str, begin: int, *, is_closed: bool) -> bool:
        """Tell its blocks. False: it is shown as it is, for now or in the end."""
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
