"""Messages and calls in full, and further pieces of long ones."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chat.display.calls import call_views
from chat.display.cards import Card, as_json
from chat.display.messages import so_far
from chat.display.parts import AT_FIRST
from chat.models import Conversation, Message, ToolCall
from chat.protocol import arguments_object

PIECE = 250_000
"""Code points of a long text in each piece."""
NEAR_LINES = 2000
"""A piece ends with a line if one ends within so many code points."""


def source(conversation: Conversation, message_id: UUID) -> str | None:
    """Return the source of a message of this conversation; None: there is no such message."""
    if live := so_far(conversation).get(message_id):
        return live.text
    said = Message.objects.filter(conversation=conversation, pk=message_id, withdrawn=False)
    return said.values_list("content", flat=True).first()


def source_of_call(
    conversation: Conversation, message_id: UUID, call_id: str, part: str = ""
) -> str | None:
    """Return a call with all of its arguments and its result; None: there is no such call.

    With the part `arguments`, only the model's arguments, for a person to edit.
    """
    calls = ToolCall.objects.filter(message__conversation=conversation, message=message_id)
    call = calls.filter(call_id=call_id).first()
    if call is not None and part == "arguments":
        return as_json(arguments_object(call.arguments))
    return None if call is None else f"{call.name}\n\n{call.used_arguments}\n\n{call.result}"


@dataclass(frozen=True)
class More:
    """A further piece of a long message: text or calls."""

    text: str = ""
    cards: tuple[Card, ...] = ()
    begin: int = 0
    """Where the next piece begins: a code point, or the number of a call."""
    left: int = 0
    """Bytes or calls after this piece."""


def more_text(conversation: Conversation, message_id: UUID, begin: int) -> More | None:
    """Return the text of a message from a code point on; None: there is no such message."""
    text = source(conversation, message_id)
    if text is None:
        return None
    end = begin + PIECE
    if len(text) > end:
        end = text.rfind("\n", end - NEAR_LINES, end) + 1 or end
    return More(text=text[begin:end], begin=end, left=len(text[end:].encode()))


def more_calls(conversation: Conversation, message_id: UUID, begin: int) -> More | None:
    """Return the calls of a message from a number on, up to those that were shown at first."""
    calls = ToolCall.objects.filter(message__conversation=conversation, message=message_id)
    last = calls.count() - AT_FIRST.calls // 2
    end = min(begin + AT_FIRST.calls, last)
    if not 0 <= begin < end:
        return None
    some = [call for call in calls.order_by("pk")[begin:end] if call.status not in ToolCall.OPEN]
    return More(cards=tuple(map(Card, call_views(some, AT_FIRST))), begin=end, left=last - end)
