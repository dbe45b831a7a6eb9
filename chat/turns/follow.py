"""Turns that run on other servers, shown to this one's connections.

Live frames do not travel between servers yet. What they said is in the rows, so once a second it
is looked whether a connection lacks frames of a conversation that this process does not move
itself; then it is shown a snapshot, and the `done` of what ended. On SQLite nothing runs elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from uuid import UUID

from chat import publish
from chat.db.lanes import read
from chat.turns import transitions

TOLD_WITHIN = 0.1
"""Seconds from a commit of this process's own to its frames, at most: those are on their way."""


async def poll(ours: Collection[UUID]) -> None:
    """Refresh who lacks frames; `ours` are the conversations whose turns run here."""
    if watched := set(publish.watched()) - set(ours):
        latest = await read(transitions.latest_numbers, watched)
        if publish.lagging(latest):
            await asyncio.sleep(TOLD_WITHIN)
            for attachment in publish.lagging(latest):
                await attachment.refresh()
