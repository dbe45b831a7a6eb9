"""One connection of a page: frames in, frames out, and a subscription to at most one conversation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import User

from chat import publish, services
from chat.access.owner import find
from chat.db.lanes import UNAVAILABLE, detail, read, write
from chat.db.postgresql import OutcomeUnknown
from chat.display import snapshots
from chat.errors import InvalidFrame, NotAllowed, TalosError
from chat.llm.catalogue.models import get_catalogue
from chat.models import Conversation, Turn
from chat.protocol import (
    Answered,
    AnyAction,
    Done,
    Edit,
    Error,
    Frame,
    Send,
    SessionCreated,
    parse,
)
from chat.socket.subscription import Subscription
from chat.turns import engine

log = logging.getLogger(__name__)

LONG_FRAME = 64 * 1024
"""Code points: a longer frame is parsed in a thread."""


@contextmanager
def creating(conversation_id: UUID) -> Iterator[None]:
    """Add the conversation's id to an `OutcomeUnknown`, so that `resolve_outcome` can show it."""
    try:
        yield
    except OutcomeUnknown as unknown:
        unknown.conversation_id = conversation_id
        raise


class Connection(AsyncJsonWebsocketConsumer):
    """A WebSocket of one owner. A subclass handles the actions."""

    owner: User
    unsettled: set[asyncio.Task[None]]
    """Tasks that find out whether an action was stored whose COMMIT was not answered."""
    send_text: Callable[[str], bool] | None = None
    """Our own server's way to send a text; False: not open. None: another server's connection."""
    subscription: Subscription | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the connection. Cleans up here because Channels may skip `disconnect`."""
        self.owner, self.unsettled = scope["user"], set()
        self.send_text = scope.get("extensions", {}).get("talos.send_text")
        try:
            await super().__call__(scope, receive, send)
        finally:
            for task in self.unsettled:
                task.cancel()
            publish.disconnect(self.owner.pk, self)
            self.subscribe(None)

    async def connect(self) -> None:
        await self.accept()
        publish.connect(self.owner.pk, self)

    async def handle(self, action: AnyAction) -> None:
        """Carry out an action and answer it."""
        raise NotImplementedError

    # --- frames in --------------------------------------------------------------------------

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle an event of the server.

        Before each event Channels has a thread look for database connections to close, at the
        cost of a query. A frame needs none in that thread: it goes through the lanes of
        `db/lanes.py`.
        """
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Answer one frame, whatever it contains."""
        try:
            if text_data is None:
                raise InvalidFrame("Frames are text, not bytes.")
            is_long = len(text_data) > LONG_FRAME  # it would hold up all other connections
            action = await asyncio.to_thread(parse, text_data) if is_long else parse(text_data)
        except TalosError as error:
            self.tell(Error(content=error.message, code=error.code))
            return
        await self.handle(action)

    # --- the conversation -------------------------------------------------------------------

    @property
    def conversation_id(self) -> UUID | None:
        """The open conversation, if any."""
        return self.subscription.conversation_id if self.subscription else None

    @property
    def here(self) -> UUID:
        """The open conversation. Raises `NotAllowed` if there is none."""
        if self.subscription is None:
            raise NotAllowed("No conversation is open on this connection.")
        return self.subscription.conversation_id

    async def resume(
        self,
        session_id: str,
        *,
        render: bool,
        awaited: Collection[UUID] = (),
        then: Frame | None = None,
    ) -> tuple[Conversation, list[Turn]]:
        """Open a conversation of the owner's. Returns it, and the turns of `awaited` answers that
        are over.

        `then` is sent before any later frame. If the conversation cannot be read, the connection
        stays where it was.
        """
        found = await read(find, self.owner, session_id)
        place = self.subscription
        if place is None or place.conversation_id != found.pk:
            place = Subscription(self, found.pk)
        default = found.model or await get_catalogue().default()
        try:
            with place.holding():
                snapshot, over = await read(
                    snapshots.session_created, self.owner, found.pk, default, awaited=awaited
                )
                place.render = render
                self.open(place, snapshot)
                if then is not None:
                    self.tell(then)
        finally:
            if self.subscription is not place:
                place.close()
        return found, over

    async def mark_read(self, conversation: Conversation) -> None:
        """Mark a conversation as read. The snapshot is out already, so a failure is only logged."""
        if not conversation.unread:
            return
        try:
            await write(services.mark_read, self.owner, conversation.pk)
        except UNAVAILABLE as error:
            log.warning("A conversation could not be marked as read: %s", detail(error))

    def open(self, place: Subscription, snapshot: SessionCreated) -> None:
        """Show a conversation, and its frames from now on."""
        self.subscribe(place)
        place.show(snapshot)
        if place.render:
            engine.show_blocks(place.conversation_id, place)

    def subscribe(self, place: Subscription | None) -> None:
        """Take a place in a conversation, and leave the one before, if any."""
        if self.subscription is not None and self.subscription is not place:
            self.subscription.close()
        self.subscription = place

    # --- frames out -------------------------------------------------------------------------

    def tell(self, frame: Frame) -> None:
        """Send a frame to this connection only."""
        self.deliver(frame.seq, frame.encode())

    def refuse(self, action: AnyAction, error: TalosError) -> None:
        """Say why an action was refused. Nothing was changed."""
        self.tell(Error(content=error.message, code=error.code))
        if isinstance(action, Answered):
            client_id = action.client_id if isinstance(action, Send | Edit) else None
            self.tell(Done(message_id=None, status="failed", client_id=client_id))

    def deliver(self, seq: int | None, text: str) -> None:
        """Send an encoded frame.

        Daphne's `send` never suspends (it has no backpressure, see `backpressure.py`), so its
        coroutine is driven here, without a task or a wait for each frame of each connection. Our
        own server takes a text without a coroutine (`talos_site/server/run.py`).
        """
        if self.send_text is not None and self.send_text(text):
            return
        sending = self.base_send({"type": "websocket.send", "text": text})
        try:
            sending.send(None)
        except StopIteration:
            return
        except Exception as error:
            log.debug("A frame was not sent: %s", type(error).__name__)
            return
        sending.close()
        raise RuntimeError("The server's send must not wait.")

    async def shut(self, code: int) -> None:
        """Close the connection, for example because the server restarts."""
        await self.close(code)
