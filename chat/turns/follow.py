"""Shows turns that run on other servers to this server's connections.

Live frames do not travel between servers yet. Their content is in the rows, so once a second this
module checks whether a connection lacks frames of a conversation whose turn does not run here. Such
a connection gets a snapshot, and the `done` of turns that ended. On SQLite nothing runs elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from uuid import UUID

from chat import publish
from chat.db.lanes import read
from chat.turns import transitions

SENT_WITHIN = 0.1
"""Most seconds between a commit of this process and its frames."""


async def poll(ours: Collection[UUID]) -> None:
    """Refresh connections that lack frames; `ours` are the conversations whose turns run here."""
    if watched := set(publish.watched()) - set(ours):
        latest = await read(transitions.latest_numbers, watched)
        if publish.lagging(latest):
            await asyncio.sleep(SENT_WITHIN)
            for subscription in publish.lagging(latest):
                await subscription.refresh()
