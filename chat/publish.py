"""Delivers frames to this process's connections. Only it and `socket/` know sockets.

`tell` is for the event loop's thread, after a commit. `announce` is for any thread, inside the
transaction that makes the frame true: once that is committed, this process's sockets hear it at
once and other servers find it as a `Notice` within a second. Frames of the live turn go through
`turns/journal.py`, which commits them and then calls `tell`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from chat.db import loop, process
from chat.models import Notice
from chat.protocol import Done, Frame, QuickDelta

K = TypeVar("K")
L = TypeVar("L")


class Listener(Protocol):
    """A receiver of frames. Called on the event loop; never waits and never raises."""

    def deliver(self, seq: int | None, text: str) -> None:
        """Send an encoded frame; `seq` is its number, if it has one."""


class Connection(Listener, Protocol):
    """A socket of one owner."""

    async def shut(self, code: int) -> None:
        """Close it."""


class Subscription(Listener, Protocol):
    """A connection's place in a conversation."""

    render: bool
    """Whether it wants rendered blocks."""
    seen: int
    """Number of the last frame that it has."""

    def deliver(self, seq: int | None, text: str, *, ends: UUID | None = None) -> None:
        """Send an encoded frame; `ends` is the answer that it ends, if any."""

    async def refresh(self) -> None:
        """Send a new snapshot, after another server changed the conversation."""

    def forget(self) -> None:
        """End the subscription: the conversation is gone."""


_subscriptions: defaultdict[UUID, set[Subscription]] = defaultdict(set)
_connected: defaultdict[int, set[Connection]] = defaultdict(set)
_held: dict[UUID, list[Notice]] = {}


def connect(owner_id: int, socket: Connection) -> None:
    _connected[owner_id].add(socket)


def disconnect(owner_id: int, socket: Connection) -> None:
    _drop(_connected, owner_id, socket)


def subscribe(conversation_id: UUID, socket: Subscription) -> None:
    _subscriptions[conversation_id].add(socket)


def unsubscribe(conversation_id: UUID, socket: Subscription) -> None:
    _drop(_subscriptions, conversation_id, socket)


def is_watched(conversation_id: UUID) -> bool:
    """Whether a connection of this process subscribes to a conversation. From any thread."""
    return conversation_id in _subscriptions


def watched() -> Collection[UUID]:
    """The conversations that connections of this process subscribe to."""
    return tuple(_subscriptions)


def lagging(latest: Mapping[UUID, int]) -> list[Subscription]:
    """The subscriptions that lack frames: `latest` has the number of each conversation's last one."""
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
    """Send a frame to this process's subscribers of a conversation."""
    if listeners := _subscriptions.get(conversation_id):
        text = frame.encode()
        ends = UUID(frame.message_id) if isinstance(frame, Done) and frame.message_id else None
        for listener in tuple(listeners):
            listener.deliver(frame.seq, text, ends=ends)


def wants_blocks(conversation_id: UUID) -> bool:
    """Whether a connection of this process wants a conversation's blocks."""
    return any(listener.render for listener in _subscriptions.get(conversation_id, ()))


def tell_rendered(conversation_id: UUID, frame: Frame) -> None:
    """Send a frame to this process's subscribers that want blocks."""
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
    """Send frames without a number when the current transaction commits.

    They go to the subscribers of `conversation_id`; without one, to all connections of the owner.
    `gone` is a conversation that the frames report as deleted: its subscriptions end.
    """
    notices = [
        Notice(
            owner_id=owner_id,
            conversation_id=conversation_id,
            gone=gone,
            process=process.identity if loop.is_server() else "",
            frame=frame.encode(),
        )
        for frame in frames
    ]
    if not loop.is_server() or not process.is_alone():
        Notice.objects.bulk_create(notices)
    for notice in notices:
        loop.call_after_commit(partial(hear, notice))


def hear(notice: Notice) -> None:
    """Deliver a frame without a number, from our own `announce` or another process's."""
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
    """Delay deletion notices until the answer's end is delivered."""
    _held.setdefault(conversation_id, [])


def release(conversation_id: UUID) -> None:
    """Deliver the delayed notices: the end was delivered, or never will be."""
    for notice in _held.pop(conversation_id, ()):
        hear(notice)


def _drop(groups: defaultdict[K, set[L]], key: K, listener: L) -> None:
    if (group := groups.get(key)) is not None:
        group.discard(listener)
        if not group:
            del groups[key]
