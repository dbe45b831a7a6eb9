"""Preparing a conversation for import: nothing in it runs or waits, and its ids are unused.

Both depend on the file alone, so that the same file always gives the same result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from chat.models import ToolCall, Turn
from chat.transfer.archive.format import (
    ArchivedCall,
    ArchivedConversation,
    ArchivedMessage,
    ArchivedTurn,
)

NOT_RUN = "This was not run: it was still open when the conversation was exported."
MAY_HAVE_RUN = "This was running when the conversation was exported. It may have had its effect."


def settle(conversation: ArchivedConversation) -> ArchivedConversation:
    """Mark unfinished answers as interrupted, and close their open calls with a reason."""
    messages = tuple(map(settle_message, conversation.messages))
    return conversation.model_copy(update={"messages": messages})


def settle_message(message: ArchivedMessage) -> ArchivedMessage:
    changes: dict[str, Any] = {}
    if any(call.status in ToolCall.OPEN for call in message.calls):
        changes["calls"] = tuple(map(_closed, message.calls))
    turn = message.turn
    if turn is not None and turn.status in Turn.UNFINISHED:
        ended = {"status": Turn.Status.INTERRUPTED, "ended_at": _last_seen(message, turn)}
        changes["turn"] = turn.model_copy(update=ended)
    return message.model_copy(update=changes) if changes else message


def _closed(call: ArchivedCall) -> ArchivedCall:
    if call.status not in ToolCall.OPEN:
        return call
    ran = call.status == ToolCall.Status.RUNNING
    return call.model_copy(
        update={
            "status": ToolCall.Status.UNKNOWN if ran else ToolCall.Status.FAILED,
            "result": MAY_HAVE_RUN if ran else NOT_RUN,
            "ended_at": call.started_at or call.created_at,
        }
    )


def _last_seen(message: ArchivedMessage, turn: ArchivedTurn) -> datetime:
    """Return the latest time in the file for an answer."""
    times = [turn.created_at, turn.started_at]
    for call in message.calls:
        times += [call.created_at, call.started_at, call.ended_at]
    return max(time for time in times if time is not None)


def other_id(conversation_id: UUID, owner: str) -> UUID:
    """Return the id for an owner who cannot have the conversation's own."""
    return uuid5(conversation_id, owner)


def give_other_ids(conversation: ArchivedConversation, owner: str) -> ArchivedConversation:
    """Give it other ids, always the same ones, for an owner who cannot have its own."""
    new_id = other_id(conversation.id, owner)
    messages = tuple(
        message.model_copy(
            update={
                "id": _new(new_id, message.id),
                "parent": message.parent and _new(new_id, message.parent),
            }
        )
        for message in conversation.messages
    )
    leaf = _new(new_id, conversation.leaf)
    return conversation.model_copy(update={"id": new_id, "leaf": leaf, "messages": messages})


def _new(conversation_id: UUID, message_id: UUID) -> UUID:
    return uuid5(conversation_id, str(message_id))


def parents_first(messages: Sequence[ArchivedMessage]) -> Iterator[ArchivedMessage]:
    """Yield messages in an order in which they can be stored; an answer may precede its question in time."""
    by_id = {message.id: message for message in messages}
    done: set[UUID] = set()
    for message in messages:
        chain: list[ArchivedMessage] = []
        at: ArchivedMessage | None = message
        while at is not None and at.id not in done:
            chain.append(at)
            done.add(at.id)
            at = by_id.get(at.parent) if at.parent else None
        yield from reversed(chain)
