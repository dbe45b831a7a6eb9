"""A connection's place in a conversation: a snapshot, then every later frame, none twice.

Frames that arrive while a snapshot is read are held; those that it does not include are sent after
it. Several snapshots may be read at a time (a client resumes while `turns/follow.py` refreshes);
frames are held until the last one is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from django.contrib.auth.models import User

from chat import publish
from chat.db.lanes import read
from chat.display import snapshots
from chat.errors import SessionNotFound
from chat.llm.catalogue.models import get_catalogue
from chat.models import Turn
from chat.protocol import MAX_QUEUED, Frame, SessionCreated


class Connection(Protocol):
    """The connection, as a subscription sees it."""

    owner: User
    subscription: Subscription | None

    def tell(self, frame: Frame) -> None: ...
    def deliver(self, seq: int | None, text: str) -> None: ...


class Subscription:
    """One connection in one conversation."""

    def __init__(
        self, connection: Connection, conversation_id: UUID, *, render: bool = False
    ) -> None:
        self.conversation_id = conversation_id
        self.render = render
        self.seen = 0
        """Number of the last frame that the client has."""
        self.awaited: deque[UUID] = deque(maxlen=MAX_QUEUED + 1)
        """Answers whose `done` this connection is owed."""
        self._connection = connection
        self._holds = 0
        """Snapshots that are being read."""
        self._held: list[tuple[int | None, str, UUID | None]] = []
        self._is_shown = self._is_closed = False
        publish.subscribe(conversation_id, self)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold frames while a snapshot is read and shown, then send those that it does not include."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds:
                held, self._held = self._held, []
                # not if another conversation was shown meanwhile, or this one never was
                for seq, text, ends in held if self._is_shown and not self._is_closed else ():
                    self.deliver(seq, text, ends=ends)

    def show(self, snapshot: SessionCreated) -> None:
        """Send a snapshot, whose frames the client then has."""
        self._is_shown = True
        self.seen = snapshot.data.seq
        self.awaited.clear()
        self.awaited += [
            UUID(message.id)
            for message in snapshot.data.messages
            if message.status in Turn.UNFINISHED
        ]
        self._connection.tell(snapshot)

    def deliver(self, seq: int | None, text: str, *, ends: UUID | None = None) -> None:
        if self._holds:
            self._held.append((seq, text, ends))
        elif seq is None:
            self._connection.deliver(None, text)
        elif seq > self.seen:
            self.seen = seq
            self._connection.deliver(seq, text)
            if ends is not None and ends in self.awaited:
                self.awaited.remove(ends)

    async def refresh(self) -> None:
        """Send a new snapshot and ended turns, after another server changed the conversation."""
        default = await get_catalogue().default()
        awaited = tuple(self.awaited)
        with self.holding():
            try:
                snapshot, over = await read(
                    snapshots.session_created,
                    self._connection.owner,
                    self.conversation_id,
                    default,
                    awaited=awaited,
                )
            except SessionNotFound:
                return
            if self._connection.subscription is not self or snapshot.data.seq <= self.seen:
                return
            ended = {turn.message_id for turn in over}
            owed = tuple(self.awaited)
            self.show(snapshot)
            # some may be ahead of the snapshot, or were sent while it was read
            still = [answer for answer in owed if answer not in ended]
            self.awaited += [answer for answer in still if answer not in self.awaited]
            for turn in over:
                # also if it ran here: the snapshot includes its numbered `done`, which is no longer
                # sent. The end of a turn that never ran is sent as a notice.
                if turn.message_id in owed and turn.process:
                    self._connection.tell(snapshots.done(turn))

    def forget(self) -> None:
        if self._connection.subscription is self:
            self._connection.subscription = None

    def close(self) -> None:
        self._is_closed = True
        publish.unsubscribe(self.conversation_id, self)
