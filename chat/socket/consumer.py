"""The socket at `/api/chat/ws`: reads actions, answers with frames. No business rules.

Channels handles one frame of a connection at a time, so each handler returns at once: turns run
in the engine and tell their frames through `publish`. Nothing that a client sends closes the
socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import User

from chat import publish, services, slash
from chat.access.owner import find
from chat.db.lanes import UNAVAILABLE, detail, outcome, read, words, write
from chat.db.postgresql import OutcomeUnknown
from chat.display import snapshots
from chat.errors import Internal, InvalidFrame, NotAllowed, TalosError, UnknownModel
from chat.llm.catalogue.models import get_catalogue
from chat.markdown.pool import render_reply
from chat.models import MAX_MODEL, Conversation, ToolCall, Turn
from chat.protocol import (
    FRAME_TEXT_BYTES,
    Answered,
    AnyAction,
    ApproveTool,
    Cancel,
    Continue,
    Done,
    Edit,
    Error,
    Frame,
    NewSession,
    Regenerate,
    Reply,
    ResumeSession,
    Select,
    Send,
    SessionCreated,
    Withdraw,
    parse,
)
from chat.protocol.sizes import cut_for_json, json_size
from chat.socket.subscription import Subscription
from chat.turns import engine

REPLY_BYTES = 128 * 1024
"""Of what a slash command answers, as JSON."""
log = logging.getLogger(__name__)


async def offered(model: str | None) -> str | None:
    """The model that was asked for. Raises `UnknownModel` when nobody offers it."""
    if model is not None:
        if len(model) > MAX_MODEL:  # a server that lists nothing takes any name, a column does not
            raise UnknownModel(f"No model has a name of more than {MAX_MODEL} characters.")
        await get_catalogue().resolve(model)
    return model


LONG_FRAME = 64 * 1024
"""Code points: a longer one is read in a thread."""


@contextmanager
def making(conversation_id: UUID) -> Iterator[None]:
    """Name the conversation, where it stays unknown for now whether it was made."""
    try:
        yield
    except OutcomeUnknown as unknown:
        unknown.conversation_id = conversation_id
        raise


class ChatConsumer(AsyncJsonWebsocketConsumer):
    """One connection, attached to at most one conversation."""

    owner: User
    unsettled: set[asyncio.Task[None]]
    """Waits for what became of actions whose COMMIT was not answered."""
    send_text: Callable[[str], bool] | None = None
    """Our own server's way for a text; False: not open. None: another server's connection."""
    subscription: Subscription | None = None
    context: int | None = None
    """Stored messages that the model is given for a `send`; None: all."""
    model: str | None = None
    """Chosen by `/model` before there is a conversation: the next one begins with it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the connection. Channels does not promise to call `disconnect`; this ends always."""
        self.owner, self.unsettled = scope["user"], set()
        self.send_text = scope.get("extensions", {}).get("talos.send_text")
        try:
            await super().__call__(scope, receive, send)
        finally:
            for asking in self.unsettled:
                asking.cancel()
            publish.disconnect(self.owner.pk, self)
            self.subscribe(None)

    async def connect(self) -> None:
        await self.accept()
        publish.connect(self.owner.pk, self)

    # --- frames in --------------------------------------------------------------------------

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle what the server tells of a connection.

        Before each message Channels has a thread look for database connections to close, at the
        cost of a query. A frame needs none in that thread: it goes through the lanes of
        `database.py`.
        """
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Answer one frame, whatever it is."""
        try:
            if text_data is None:
                raise InvalidFrame("Frames are text, not bytes.")
            is_long = len(text_data) > LONG_FRAME  # it would hold up everybody else
            action = await asyncio.to_thread(parse, text_data) if is_long else parse(text_data)
        except TalosError as error:
            self.tell(Error(content=error.message, code=error.code))
            return
        if refused := await self.answer(action):
            self.refuse(action, refused)

    def refuse(self, action: AnyAction, error: TalosError) -> None:
        """Tell what was wrong with an action. Nothing was changed."""
        self.tell(Error(content=error.message, code=error.code))
        if isinstance(action, Answered):
            client_id = action.client_id if isinstance(action, Send | Edit) else None
            self.tell(Done(message_id=None, status="failed", client_id=client_id))

    async def answer(self, action: AnyAction) -> TalosError | None:
        """Do what an action asks. Returns what was wrong, and then nothing was changed."""
        handler: Callable[[Any], Awaitable[None]] = getattr(self, f"on_{action.action}")
        try:
            await handler(action)
        except TalosError as error:
            return error
        except OutcomeUnknown as unknown:
            log.warning("%s: %s", action.action, words(unknown))
            content = f"{words(unknown)} You are told as soon as it can be asked."
            self.tell(Error(content=content, code=Internal.code))
            self.unsettled.add(asking := asyncio.create_task(self.settle(action, unknown)))
            asking.add_done_callback(self.unsettled.discard)
        except UNAVAILABLE as error:
            log.warning("%s: %s", action.action, detail(error))
            return Internal(f"{words(error)} Nothing was changed; please try again.")
        except Exception:
            log.exception("The action %s failed.", action.action)
            return Internal()
        return None

    async def settle(self, action: AnyAction, unknown: OutcomeUnknown) -> None:
        """Find out whether an action was stored. If so, all of it is told as usual."""
        if not await outcome(unknown):
            self.refuse(action, Internal("This was not stored; please try again."))
        elif unknown.conversation_id and isinstance(action, Send | NewSession):
            await self.reopen(unknown.conversation_id, render=action.render)

    async def reopen(self, conversation_id: UUID, *, render: bool) -> None:
        """Show a conversation that was made while nobody could say so."""
        try:
            made = await read(list[Turn], Turn.objects.filter(conversation=conversation_id))
            awaited = [turn.message_id for turn in made]
            _, over = await self.resume(str(conversation_id), render=render, awaited=awaited)
        except (TalosError, *UNAVAILABLE) as error:
            log.warning("A new conversation could not be shown: %s", error)
            return
        self.context = None
        for turn in over:
            self.tell(snapshots.done(turn))

    async def on_new_session(self, action: NewSession) -> None:
        model = await offered(action.model)
        default = await get_catalogue().default()
        with making(conversation_id := uuid4()):
            conversation = await write(
                services.begin, self.owner, conversation_id=conversation_id, model=model or ""
            )
        place = Subscription(self, conversation.pk, render=action.render)
        self.open(place, snapshots.begun(conversation, default))
        self.context = None

    async def on_resume_session(self, action: ResumeSession) -> None:
        found, _ = await self.resume(action.session_id, render=action.render)
        self.context = None if action.context == "full" else action.context
        await self.mark_read(found)

    async def on_send(self, action: Send) -> None:
        if slash.is_command(action.text):
            await self.command(action)
        elif self.subscription is None:
            await self.begin(action)
        else:
            said = await self.say(action, self.subscription.conversation_id, model=action.model)
            await self.said(said)

    async def begin(self, action: Send) -> None:
        """Say something in a conversation that is made for it."""
        place = Subscription(self, uuid4(), render=action.render)
        model = action.model or self.model
        try:
            with place.holding(), making(place.conversation_id):
                said = await self.say(action, place.conversation_id, model=model, begins=True)
                if said.is_new:
                    default = await get_catalogue().default()
                    self.open(place, snapshots.begun(said.turn.conversation, default))
                    self.context = None
        finally:
            if self.subscription is not place:
                place.close()
        await self.said(said, render=action.render)

    async def say(
        self, action: Send, conversation_id: UUID, *, model: str | None, begins: bool = False
    ) -> services.Said:
        return await write(
            services.say,
            self.owner,
            conversation_id=conversation_id,
            text=slash.unescape(action.text),
            model=await self.offered_anew(model, action.client_id),
            default_model=await get_catalogue().default(),
            context=self.context,
            client_id=action.client_id,
            begins=begins,
        )

    async def offered_anew(self, model: str | None, client_id: str | None) -> str | None:
        """The model, offered still; None where this was said before, and asks nobody again."""
        try:
            return await offered(model)
        except UnknownModel:
            if await read(services.said_before, self.owner, client_id) is None:
                raise
            return None

    async def said(self, said: services.Said, *, render: bool = False) -> None:
        """Something was stored. Sent once more, it is answered with what came of the first."""
        if not said.is_new:
            await self.repeat(said, render=render)
        else:
            self.awaits(said.turn)

    def awaits(self, turn: Turn) -> None:
        """A `done` is due to this connection, wherever the turn runs."""
        if self.subscription is not None:
            self.subscription.awaited.append(turn.message_id)

    async def command(self, action: Send) -> None:
        conversation_id = self.subscription.conversation_id if self.subscription else None
        caller = slash.Caller(self.owner, conversation_id, self.model, self.context)
        content = await slash.dispatch(caller, action.text)
        if (kept := cut_for_json(content, REPLY_BYTES)) != content:
            content = f"{kept}\n\n… This answer is cut: there is more than fits here."
        is_rendered = action.render or (self.subscription is not None and self.subscription.render)
        html = (
            await render_reply(conversation_id or self.owner.pk, content) if is_rendered else None
        )
        if html is not None and json_size(html) > FRAME_TEXT_BYTES:
            html = None
        self.tell(Reply(content=content, html=html))
        self.model = caller.model
        if caller.conversation_id is None:
            self.subscribe(None)
        self.tell(Done(message_id=None, status="completed", client_id=action.client_id))

    async def repeat(self, said: services.Said, *, render: bool) -> None:
        created = services.message_created(said.question)
        if self.subscription is None or self.subscription.conversation_id != said.conversation_id:
            found, over = await self.resume(
                str(said.conversation_id),
                render=render,
                awaited=(said.turn.message_id,),
                then=created,
            )
            self.context = None
        else:
            self.tell(created)
            found, over = None, [said.turn] if said.turn.is_over else []
        for turn in over:
            self.tell(snapshots.done(turn))
        if found is not None:
            await self.mark_read(found)

    async def on_cancel(self, action: Cancel) -> None:
        if self.subscription is None:
            return
        conversation_id = self.subscription.conversation_id
        if not engine.cancel(conversation_id):
            await write(services.cancel, self.owner, conversation_id)

    @property
    def here(self) -> UUID:
        """The conversation. Raises `NotAllowed` where there is none."""
        if self.subscription is None:
            raise NotAllowed("No conversation is open on this connection.")
        return self.subscription.conversation_id

    async def on_regenerate(self, action: Regenerate) -> None:
        turn = await write(
            services.regenerate,
            self.owner,
            self.here,
            default_model=await get_catalogue().default(),
            message_id=action.message_id,
            model=await offered(action.model),
            context=self.context,
        )
        self.awaits(turn)

    async def on_edit(self, action: Edit) -> None:
        # sent once more, by who has no conversation open yet
        if self.subscription is None and (
            before := await read(services.said_before, self.owner, action.client_id)
        ):
            return await self.repeat(before, render=False)
        said = await write(
            services.edit,
            self.owner,
            self.here,
            message_id=action.message_id,
            text=action.text,
            model=await self.offered_anew(action.model, action.client_id),
            default_model=await get_catalogue().default(),
            context=self.context,
            client_id=action.client_id,
        )
        await self.said(said)

    async def on_select(self, action: Select) -> None:
        await write(services.select, self.owner, self.here, action.message_id)

    async def on_continue(self, action: Continue) -> None:
        turn = await write(
            services.continue_,
            self.owner,
            self.here,
            default_model=await get_catalogue().default(),
            model=await offered(action.model),
            context=self.context,
        )
        self.awaits(turn)

    async def on_approve_tool(self, action: ApproveTool) -> None:
        await write(
            services.decide,
            self.owner,
            self.here,
            action.call_id,
            approved=action.approved,
            by=self.owner,
            where=ToolCall.DecidedFrom.PAGE,
            remember=action.remember,
            arguments=action.arguments,
        )

    async def on_withdraw(self, action: Withdraw) -> None:
        if self.subscription is None:
            raise NotAllowed("This message is not waiting any more.")
        conversation_id = self.subscription.conversation_id
        await write(services.withdraw, self.owner, conversation_id, action.client_id)

    # --- attaching --------------------------------------------------------------------------

    async def resume(
        self,
        session_id: str,
        *,
        render: bool,
        awaited: Collection[UUID] = (),
        then: Frame | None = None,
    ) -> tuple[Conversation, list[Turn]]:
        """Attach to a conversation of the owner's. Returns it, and those turns of `awaited`
        answers that are over.

        `then` is told before anything that happens in it from now on. A conversation that cannot
        be read leaves the connection where it was.
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
        """The snapshot was sent, whatever becomes of this."""
        if not conversation.unread:
            return
        try:
            await write(services.mark_read, self.owner, conversation.pk)
        except UNAVAILABLE as error:
            log.warning("A conversation could not be marked as read: %s", detail(error))

    def open(self, place: Subscription, snapshot: SessionCreated) -> None:
        """Show a conversation, and hear of it from now on."""
        self.subscribe(place)
        place.show(snapshot)
        if place.render:
            engine.show_blocks(place.conversation_id, place)

    def subscribe(self, place: Subscription | None) -> None:
        """Leave the conversation before, if any."""
        if self.subscription is not None and self.subscription is not place:
            self.subscription.close()
        self.subscription = place

    # --- frames out -------------------------------------------------------------------------

    def tell(self, frame: Frame) -> None:
        """Send a frame to this connection only."""
        self.deliver(frame.seq, frame.encode())

    def deliver(self, seq: int | None, text: str) -> None:
        """Send an encoded frame.

        Daphne's `send` never suspends (it has no backpressure, see `backpressure.py`), so its
        coroutine is driven here, without a task or a wait for each frame of each connection. Our
        own server takes a text without one (`talos_site/server/run.py`).
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
