"""The socket at `/api/chat/ws`: each action calls a service. No business rules.

Channels handles one frame of a connection at a time, so each handler returns at once: turns run
in the engine, and their frames arrive through `publish`. Nothing that a client sends closes the
socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from chat import services, slash
from chat.db.lanes import UNAVAILABLE, detail, explain, outcome, read, write
from chat.db.postgresql import OutcomeUnknown
from chat.display import snapshots
from chat.display.replies import reply
from chat.errors import Internal, NotAllowed, TalosError, UnknownModel
from chat.llm.catalogue.models import get_catalogue
from chat.models import ToolCall, Turn
from chat.protocol import (
    AnyAction,
    ApproveTool,
    Cancel,
    Continue,
    Done,
    Edit,
    Error,
    NewSession,
    Regenerate,
    ResumeSession,
    Select,
    Send,
    Withdraw,
)
from chat.services import Ask, Sent
from chat.socket.connection import Connection, creating
from chat.socket.subscription import Subscription
from chat.turns import engine

log = logging.getLogger(__name__)


class ChatConsumer(Connection):
    """Carries out the actions of one connection."""

    context: int | None = None
    """Stored messages that the model is given for a `send`; None: all."""
    model: str | None = None
    """Chosen by `/model` before there is a conversation: the next one begins with it."""

    async def handle(self, action: AnyAction) -> None:
        if error := await self.carry_out(action):
            self.refuse(action, error)

    async def carry_out(self, action: AnyAction) -> TalosError | None:
        """Call the handler of an action. Returns its error, after which nothing was changed."""
        handler: Callable[[Any], Awaitable[None]] = getattr(self, f"on_{action.action}")
        try:
            await handler(action)
        except TalosError as error:
            return error
        except OutcomeUnknown as unknown:
            log.warning("%s: %s", action.action, explain(unknown))
            content = f"{explain(unknown)} You will be told as soon as it is known."
            self.tell(Error(content=content, code=Internal.code))
            self.unsettled.add(task := asyncio.create_task(self.resolve_outcome(action, unknown)))
            task.add_done_callback(self.unsettled.discard)
        except UNAVAILABLE as error:
            log.warning("%s: %s", action.action, detail(error))
            return Internal(f"{explain(error)} Nothing was changed; please try again.")
        except Exception:
            log.exception("The action %s failed.", action.action)
            return Internal()
        return None

    async def resolve_outcome(self, action: AnyAction, unknown: OutcomeUnknown) -> None:
        """Find out whether an action was stored. If so, its frames arrive as usual."""
        if not await outcome(unknown):
            self.refuse(action, Internal("This was not stored; please try again."))
        elif unknown.conversation_id and isinstance(action, Send | NewSession):
            await self.reopen(unknown.conversation_id, render=action.render)

    async def reopen(self, conversation_id: UUID, *, render: bool) -> None:
        """Show a conversation that was created while the database did not answer."""
        try:
            turns = await read(list[Turn], Turn.objects.filter(conversation=conversation_id))
            awaited = [turn.message_id for turn in turns]
            _, over = await self.resume(str(conversation_id), render=render, awaited=awaited)
        except (TalosError, *UNAVAILABLE) as error:
            log.warning("A new conversation could not be shown: %s", error)
            return
        self.context = None
        for turn in over:
            self.tell(snapshots.done(turn))

    # --- opening a conversation -------------------------------------------------------------

    async def on_new_session(self, action: NewSession) -> None:
        ask = await self.ask(action.model)
        default = await get_catalogue().default()
        with creating(conversation_id := uuid4()):
            conversation = await write(
                services.begin, self.owner, conversation_id=conversation_id, model=ask.model
            )
        place = Subscription(self, conversation.pk, render=action.render)
        self.open(place, snapshots.empty(conversation, default))
        self.context = None

    async def on_resume_session(self, action: ResumeSession) -> None:
        found, _ = await self.resume(action.session_id, render=action.render)
        self.context = None if action.context == "full" else action.context
        await self.mark_read(found)

    # --- asking the model -------------------------------------------------------------------

    async def ask(self, model: str | None, client_id: str | None = None) -> Ask:
        """Make an `Ask` for this connection. Raises `UnknownModel` when nobody offers the model.

        A repeated send or edit asks nobody again, so its model may be gone.
        """
        if model is not None:
            try:
                await get_catalogue().resolve(model)
            except UnknownModel:
                if await read(services.find_sent, self.owner, client_id) is None:
                    raise
                model = None
        return Ask(model or "", self.context, client_id)

    async def on_send(self, action: Send) -> None:
        if slash.is_command(action.text):
            await self.command(action)
        elif self.subscription is None:
            await self.begin(action)
        else:
            sent = await self.say(action, self.subscription.conversation_id, model=action.model)
            await self.acknowledge(sent)

    async def begin(self, action: Send) -> None:
        """Store a message in a conversation that is created for it."""
        place = Subscription(self, uuid4(), render=action.render)
        model = action.model or self.model
        try:
            with place.holding(), creating(place.conversation_id):
                sent = await self.say(action, place.conversation_id, model=model, begins=True)
                if sent.is_new:
                    default = await get_catalogue().default()
                    self.open(place, snapshots.empty(sent.turn.conversation, default))
                    self.expect_done(sent.turn)  # before held frames are sent, which may end it
                    self.context = None
        finally:
            if self.subscription is not place:
                place.close()
        if not sent.is_new:
            await self.repeat(sent, render=action.render)

    async def say(
        self, action: Send, conversation_id: UUID, *, model: str | None, begins: bool = False
    ) -> Sent:
        return await write(
            services.say,
            self.owner,
            conversation_id=conversation_id,
            text=slash.unescape(action.text),
            ask=await self.ask(model, action.client_id),
            default_model=await get_catalogue().default(),
            begins=begins,
        )

    async def acknowledge(self, sent: Sent) -> None:
        """Expect the answer's end. A repeated send is answered with the outcome of the first."""
        if not sent.is_new:
            await self.repeat(sent, render=False)
        else:
            self.expect_done(sent.turn)

    def expect_done(self, turn: Turn) -> None:
        """Note that this connection is owed a `done`, wherever the turn runs."""
        if self.subscription is not None:
            self.subscription.awaited.append(turn.message_id)

    async def repeat(self, sent: Sent, *, render: bool) -> None:
        """Send the frames of an earlier send or edit once more."""
        created = services.message_created(sent.question)
        if self.conversation_id != sent.conversation_id:
            found, over = await self.resume(
                str(sent.conversation_id),
                render=render,
                awaited=(sent.turn.message_id,),
                then=created,
            )
            self.context = None
        else:
            self.tell(created)
            found, over = None, [sent.turn] if sent.turn.is_over else []
        for turn in over:
            self.tell(snapshots.done(turn))
        if found is not None:
            await self.mark_read(found)

    async def command(self, action: Send) -> None:
        """Answer a slash command."""
        conversation_id = self.conversation_id
        caller = slash.Caller(self.owner, conversation_id, self.model, self.context)
        content = await slash.dispatch(caller, action.text)
        is_rendered = action.render or (self.subscription is not None and self.subscription.render)
        place = (conversation_id or self.owner.pk) if is_rendered else None
        self.tell(await reply(content, outcome=caller.outcome, render_for=place))
        self.model = caller.model
        if caller.conversation_id is None:
            self.subscribe(None)
        self.tell(Done(message_id=None, status="completed", client_id=action.client_id))

    async def on_regenerate(self, action: Regenerate) -> None:
        turn = await write(
            services.regenerate,
            self.owner,
            self.here,
            message_id=action.message_id,
            default_model=await get_catalogue().default(),
            ask=await self.ask(action.model),
        )
        self.expect_done(turn)

    async def on_edit(self, action: Edit) -> None:
        # repeated on a new connection, before a conversation is open
        if self.subscription is None and (
            before := await read(services.find_sent, self.owner, action.client_id)
        ):
            return await self.repeat(before, render=False)
        sent = await write(
            services.edit,
            self.owner,
            self.here,
            message_id=action.message_id,
            text=action.text,
            ask=await self.ask(action.model, action.client_id),
            default_model=await get_catalogue().default(),
        )
        await self.acknowledge(sent)

    async def on_continue(self, action: Continue) -> None:
        turn = await write(
            services.continue_,
            self.owner,
            self.here,
            default_model=await get_catalogue().default(),
            ask=await self.ask(action.model),
        )
        self.expect_done(turn)

    # --- everything else --------------------------------------------------------------------

    async def on_cancel(self, action: Cancel) -> None:
        if (conversation_id := self.conversation_id) is None:
            return
        if not engine.cancel(conversation_id):
            await write(services.cancel, self.owner, conversation_id)

    async def on_select(self, action: Select) -> None:
        await write(services.select, self.owner, self.here, action.message_id)

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
        if (conversation_id := self.conversation_id) is None:
            raise NotAllowed("This message is no longer waiting.")
        await write(services.withdraw, self.owner, conversation_id, action.client_id)
