"""The entrance to this process's turn engine. A process that never starts it only writes rows."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from django.conf import settings

from chat import publish
from chat.db import loop, process
from chat.db.lanes import write
from chat.protocol import StatusData
from chat.turns import transitions
from chat.turns.poller import Chore, Poller
from chat.turns.runner import Runner

log = logging.getLogger(__name__)

SERVICE_RESTART = 1012
"""WebSocket close code: come back in a moment."""

_runner: Runner | None = None
_chores: list[Chore] = []
_always: list[Chore] = []


def hourly(chore: Chore) -> None:
    """Register a chore for the start and every hour. Call before `start`."""
    _chores.append(chore)


def at_each_poll(chore: Chore) -> None:
    """Register a chore for every second, unless it still runs. Call before `start`."""
    _always.append(chore)


async def start() -> None:
    """Claim the data directory, free the turns of dead servers, and run turns from now on.

    Raises `process.DataDirectoryBusy`. Sockets may connect once this returns.
    """
    global _runner
    process.claim(settings.DATA_DIR)
    dead = await write(process.take_over)
    loop.serve_on(asyncio.get_running_loop())
    runner = _runner = Runner()
    poller = Poller(runner, dead=dead, hourly=_chores, always=_always)
    runner.background(runner.journal.run())
    await poller.start()
    runner.background(poller.run())


def nudge(conversation_id: UUID) -> None:
    """Take the conversation's next turn, after the transaction under way made one ready or ended one.

    It is taken in the same transaction, and runs as soon as that is committed.
    """
    if (runner := _runner) is not None and not runner.draining:
        turn = transitions.take_next(conversation_id)
        loop.call_after_commit(lambda: runner.start(turn))


def run_decided(conversation_id: UUID) -> None:
    """Run calls that the transaction under way decided, as soon as that is committed.

    Their turn is taken if it waited; if this process runs other calls of it, they join those.
    """
    nudge(conversation_id)
    if (runner := _runner) is not None:
        loop.call_after_commit(lambda: runner.wake_calls(conversation_id))


def cancel(conversation_id: UUID) -> bool:
    """Stop the conversation's turn at once, without a write. On the event loop's thread.

    False: this process runs none, and `services.cancel` has to ask the one that does. Also True for
    a turn that is just ending: the one behind it must not be cancelled.
    """
    return _runner is not None and _runner.cancel(conversation_id)


def show_blocks(conversation_id: UUID, listener: publish.Listener) -> None:
    """Send a new connection the finished blocks of the answer that this process writes."""
    if _runner is not None:
        _runner.show_blocks(conversation_id, listener)


def waiting(turn_id: int) -> StatusData | None:
    """The last note about the wait of a turn of this process, if it still waits. From any thread."""
    return _runner.waiting(turn_id) if _runner else None


async def drain() -> None:
    """Take no new turns, give live ones `TALOS_DRAIN_SECONDS`, store the rest, close sockets."""
    global _runner
    if (runner := _runner) is None:
        return
    await runner.drain(settings.TALOS_DRAIN_SECONDS)
    for socket in publish.connections():
        await socket.shut(SERVICE_RESTART)
    await runner.close()
    _runner = None
    loop.serve_on(None)
    process.release()
