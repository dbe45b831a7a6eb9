"""Who listens where. The only place, with the consumers, that knows sockets.

`tell` is for the event loop's thread, after a commit. `announce` is for any thread, inside the
transaction that makes the frame true: once that is committed, this process's sockets hear it at
once and other servers find it as a `Notice` within a second. Frames of the live turn go through
`turns/journal.py`, which commits them and then calls `tell`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from django.db import transaction

from chat.db import process
from chat.models import Notice
from chat.protocol import Frame, QuickDelta

K = TypeVar("K")
L = TypeVar("L")


class Listener(Protocol):
    """Somebody who hears frames. Called on the event loop; never waits and never raises."""

    def deliver(self, seq: int | None, text: str) -> None:
        """Send an encoded frame; `seq` is its number where it has one."""


class Connection(Listener, Protocol):
    """A socket of one owner."""

    async def shut(self, code: int) -> None:
        """Close it."""


class Subscription(Listener, Protocol):
    """A socket's place in a conversation."""

    render: bool
    """It asked for rendered blocks."""
    seen: int
    """The last numbered frame that it has."""

    async def refresh(self) -> None:
        """Show how the conversation stands: another server moved it on."""

    def forget(self) -> None:
        """The conversation is gone."""


_subscriptions: defaultdict[UUID, set[Subscription]] = defaultdict(set)
_connected: defaultdict[int, set[Connection]] = defaultdict(set)
_held: dict[UUID, list[Notice]] = {}
_loop: asyncio.AbstractEventLoop | None = None


def serve_on(loop: asyncio.AbstractEventLoop | None) -> None:
    """This process is a server, whose sockets live on `loop`."""
    global _loop
    _loop = loop


def connect(owner_id: int, socket: Connection) -> None:
    _connected[owner_id].add(socket)


def disconnect(owner_id: int, socket: Connection) -> None:
    _drop(_connected, owner_id, socket)


def subscribe(conversation_id: UUID, socket: Subscription) -> None:
    _subscriptions[conversation_id].add(socket)


def unsubscribe(conversation_id: UUID, socket: Subscription) -> None:
    _drop(_subscriptions, conversation_id, socket)


def is_watched(conversation_id: UUID) -> bool:
    """Whether a connection of this process is attached to a conversation. From any thread."""
    return conversation_id in _subscriptions


def watched() -> Collection[UUID]:
    """The conversations that connections of this process are attached to."""
    return tuple(_subscriptions)


def lagging(latest: Mapping[UUID, int]) -> list[Subscription]:
    """Those attached that lack frames: `latest` has the numbers of conversations' last ones."""
    return [
        socket
        for conversation_id, seq in latest.items()
        for socket in _subscriptions.get(conversation_id, ())
        if socket.seen < seq
    ]


def connections() -> Collection[Connection]:
    """All connections of this process."""
    return [socket for group in _connected.values() for socket in group]


def tell(conversation_id: UUID, frame: Frame | QuickDelta) -> None:
    """Send a frame to the connections of this process that are attached to a conversation."""
    if listeners := _subscriptions.get(conversation_id):
        text = frame.encode()
        for listener in tuple(listeners):
            listener.deliver(frame.seq, text)


def wants_blocks(conversation_id: UUID) -> bool:
    """Whether a connection of this process asked for a conversation's blocks."""
    return any(listener.render for listener in _subscriptions.get(conversation_id, ()))


def tell_rendered(conversation_id: UUID, frame: Frame) -> None:
    """Send a frame to those attached connections of this process that asked for blocks."""
    text = frame.encode()
    for listener in tuple(_subscriptions.get(conversation_id, ())):
        if listener.render:
            listener.deliver(None, text)


def announce(
    owner_id: int,
    *frames: Frame,
    conversation_id: UUID | None = None,
    gone: UUID | None = None,
) -> None:
    """Tell frames without a number, when the transaction under way commits.

    Those attached to `conversation_id` hear them; without one, all connections of the owner.
    `gone` is a conversation that the frames say is no more: its connections are detached.
    """
    notices = [
        Notice(
            owner_id=owner_id,
            conversation_id=conversation_id,
            gone=gone,
            process=process.identity if _loop else "",
            frame=frame.encode(),
        )
        for frame in frames
    ]
    if _loop is None or not process.is_alone():
        Notice.objects.bulk_create(notices)
    for notice in notices:
        on_loop(partial(hear, notice))


def hear(notice: Notice) -> None:
    """Deliver a frame without a number: our own `announce`, or another process's."""
    if notice.gone in _held:
        _held[notice.gone].append(notice)
        return
    if notice.conversation_id is None:
        listeners: Collection[Listener] = tuple(_connected.get(notice.owner_id, ()))
    else:
        listeners = tuple(_subscriptions.get(notice.conversation_id, ()))
    for listener in listeners:
        listener.deliver(None, notice.frame)
    if notice.gone is not None:
        for subscription in _subscriptions.pop(notice.gone, ()):
            subscription.forget()


def hold(conversation_id: UUID) -> None:
    """The end of an answer is on its way: who is attached hears it before a deletion."""
    _held.setdefault(conversation_id, [])


def release(conversation_id: UUID) -> None:
    """It was told, or never will be."""
    for notice in _held.pop(conversation_id, ()):
        hear(notice)


def on_loop(call: Callable[[], None]) -> None:
    """Run `call` on the server's event loop once the transaction under way has committed."""
    if (loop := _loop) is not None:
        transaction.on_commit(lambda: loop.call_soon_threadsafe(call))


def _drop(groups: defaultdict[K, set[L]], key: K, listener: L) -> None:
    if (group := groups.get(key)) is not None:
        group.discard(listener)
        if not group:
            del groups[key]
