"""Random histories: anything that the rows can hold and Talos would write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import strategies as st

from chat.models import (
    Audit,
    Conversation,
    Message,
    Notice,
    OpaquePart,
    Piece,
    SearchEntry,
    ToolCall,
    ToolRule,
    Turn,
)

Draw = Any
ODD = (
    "",
    " ",
    "\r\n\n\t",
    "\u2028\u2029\x85\x7f\x01",
    "e\u0301\u0327 \ufeff\ufffd\uffff\U0010ffff",
    "\u202eright\u2066 to left\u2069",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    '"\\/</script>{}[]\\u0000\\ud800',
    "שלום עולם",
    "x" * 5000,
)
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.sampled_from(ODD) | st.text(characters, max_size=12)
lines = st.text(characters, max_size=12)
names = st.text(characters, min_size=1, max_size=12)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  # with its own
maybe_moments = st.none() | moments
counts = st.none() | st.integers(0, 2**31 - 1)
costs = st.none() | st.decimals(0, Decimal("999999.99999999"), places=8)
FINISHED = ("completed", "cancelled", "failed", "interrupted")
CLOSED = ("denied", "finished", "failed", "unknown")


@dataclass
class Drawn:
    """A conversation's rows, not yet stored."""

    conversation: dict[str, Any]
    messages: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    calls: list[tuple[bool, dict[str, Any]]]
    """Calls, each with whether the owner decided it."""
    rules: list[dict[str, Any]]
    opaque: list[dict[str, Any]] = field(default_factory=list)
    pieces: dict[UUID, list[tuple[str, bool]]] = field(default_factory=dict)
    """The pieces written so far by live turns, by message."""


@st.composite
def histories(draw: Draw, *, live: bool = False) -> list[Drawn]:
    """Some conversations; with `live`, also unfinished answers."""
    return [draw(_conversations(number, live)) for number in range(draw(st.integers(1, 3)))]


@st.composite
def _conversations(draw: Draw, number: int, live: bool) -> Drawn:
    messages = draw(_trees(number))
    drawn = Drawn(_columns(draw, messages), messages, [], [], draw(_rules()))
    has_live = False
    for message in messages:
        if message["role"] == "assistant" and draw(st.integers(0, 9)):
            open_ = live and draw(st.booleans())
            statuses = ("queued",) if has_live else ("queued", "running", "waiting")
            turn = draw(_turns(message, statuses if open_ else FINISHED))
            has_live = has_live or turn["status"] in ("running", "waiting")
            drawn.turns.append(turn)
            calls = draw(_calls(message, open_))
            drawn.calls += calls
            call_ids = [call["call_id"] for _, call in calls]
            drawn.opaque += draw(
                _opaque(message, call_ids, 0 if open_ else len(message["content"]))
            )
            if open_:
                message["content"] = message["reasoning"] = ""
                drawn.pieces[message["id"]] = draw(
                    st.lists(st.tuples(lines.filter(bool), st.booleans()), max_size=3)
                )
    return drawn


def _columns(draw: Draw, messages: list[dict[str, Any]]) -> dict[str, Any]:
    in_use = [m for m in messages if not m["withdrawn"]]
    return {
        "id": draw(st.uuids(version=4)),
        "title": draw(lines),
        "titled_by": draw(st.sampled_from(["opening", "model", "person"])),
        "model": draw(lines),
        "instructions": draw(texts),
        "temperature": draw(st.none() | st.floats(0, 2)),
        "max_output_tokens": draw(st.none() | st.integers(1, 1_000_000)),
        "offers_tools": draw(st.booleans()),
        "leaf_id": draw(st.sampled_from(in_use))["id"],
        "seq": draw(st.integers(0, 2**52)),
        "pinned": draw(st.booleans()),
        "archived": draw(st.booleans()),
        "unread": draw(st.booleans()),
        "created_at": draw(moments),
        "updated_at": draw(moments),
    }


@st.composite
def _trees(draw: Draw, number: int) -> list[dict[str, Any]]:
    """A tree of messages: answers have a parent, and withdrawn messages have no descendants that stay."""
    messages: list[dict[str, Any]] = []
    for place in range(draw(st.integers(1, 7))):
        parents = [m for m in messages if not m["withdrawn"]]
        parent = draw(st.none() | st.sampled_from(parents)) if parents else None
        messages.append(
            {
                "id": draw(st.uuids(version=4)),
                "parent_id": parent and parent["id"],
                "role": draw(st.sampled_from(["user", "assistant"])) if parent else "user",
                "content": draw(texts),
                "reasoning": draw(texts),
                "client_id": f"{number}-{place}{draw(lines)}" if draw(st.booleans()) else None,
                "withdrawn": place > 0 and not draw(st.integers(0, 5)),
                "created_at": draw(moments),
            }
        )
    return messages


@st.composite
def _turns(draw: Draw, message: dict[str, Any], statuses: tuple[str, ...]) -> dict[str, Any]:
    return {
        "message_id": message["id"],
        "status": draw(st.sampled_from(statuses)),
        "process": draw(st.sampled_from(["", "a" * 32])),
        "heartbeat_at": draw(maybe_moments),
        "cancel_requested_at": draw(maybe_moments),
        "context": draw(st.none() | st.integers(0, 1_000_000)),
        "model": draw(lines),
        "client_id": message["client_id"],
        "input_tokens": draw(counts),
        "output_tokens": draw(counts),
        "cached_tokens": draw(counts),
        "cost": draw(costs),
        "error_code": draw(st.sampled_from(["", "model_error"])),
        "error": draw(texts),
        "error_details": draw(texts),
        "note": draw(texts),
        "context_tokens": draw(counts),
        "context_window": draw(counts),
        "created_at": draw(moments),
        "started_at": draw(maybe_moments),
        "ended_at": draw(maybe_moments),
    }


@st.composite
def _calls(draw: Draw, message: dict[str, Any], is_open: bool) -> list[tuple[bool, dict[str, Any]]]:
    statuses = (*CLOSED, "pending", "approved", "running") if is_open else CLOSED
    return [
        (
            draw(st.booleans()),
            {
                "message_id": message["id"],
                "call_id": f"call-{place}",
                "round": draw(st.integers(0, 12)),
                "offset": draw(st.integers(0, 100)),
                "name": draw(lines),
                "arguments": draw(texts | st.just("{}")),
                "edited_arguments": draw(st.just("") | texts),
                "status": draw(st.sampled_from(statuses)),
                "result": draw(texts),
                "decided_at": draw(maybe_moments),
                "decided_from": draw(st.sampled_from(["", *ToolCall.DecidedFrom.values])),
                "created_at": draw(moments),
                "started_at": draw(maybe_moments),
                "ended_at": draw(maybe_moments),
            },
        )
        for place in range(draw(st.integers(0, 2)))
    ]


@st.composite
def _opaque(
    draw: Draw, message: dict[str, Any], call_ids: list[str], length: int
) -> list[dict[str, Any]]:
    """Calls in any order; `length` is that of the message's content."""
    return [
        {
            "message_id": message["id"],
            "round": draw(st.integers(0, 12)),
            "call_id": draw(st.sampled_from(["", *call_ids])),
            "kind": "thought" if is_thought else draw(names.filter(lambda kind: kind != "thought")),
            "source": draw(lines),
            "data": str(draw(st.integers(0, length))) if is_thought else draw(texts),
        }
        for is_thought in draw(st.lists(st.booleans(), max_size=3))
    ]


@st.composite
def _rules(draw: Draw) -> list[dict[str, Any]]:
    tools = draw(st.lists(names, max_size=2, unique=True))
    return [
        {
            "tool": tool,
            "allow": draw(st.booleans()),
            "imported": draw(st.booleans()),
            "created_at": draw(moments),
        }
        for tool in tools
    ]


@transaction.atomic
def store(drawn: list[Drawn], owner: User) -> None:
    for one in drawn:
        conversation = Conversation.objects.create(owner=owner, **one.conversation)
        Message.objects.bulk_create(
            Message(conversation=conversation, owner=owner, **message) for message in one.messages
        )
        Turn.objects.bulk_create(Turn(conversation=conversation, **turn) for turn in one.turns)
        ToolCall.objects.bulk_create(
            ToolCall(decided_by=owner if is_decided else None, **call)
            for is_decided, call in one.calls
        )
        OpaquePart.objects.bulk_create(OpaquePart(**part) for part in one.opaque)
        ToolRule.objects.bulk_create(
            ToolRule(conversation=conversation, **rule) for rule in one.rules
        )
        turns = dict(Turn.objects.filter(conversation=conversation).values_list("message", "pk"))
        Piece.objects.bulk_create(
            Piece(turn_id=turns[message_id], seq=seq, text=text, thought=seq if is_reasoning else 0)
            for message_id, pieces in one.pieces.items()
            for seq, (text, is_reasoning) in enumerate(pieces, start=1)
        )


@transaction.atomic
def clear() -> None:
    """A database that is empty except for its users."""
    Conversation.objects.update(leaf=None)
    for model in (
        SearchEntry,
        Piece,
        OpaquePart,
        ToolCall,
        ToolRule,
        Turn,
        Message,
        Conversation,
        Notice,
        Audit,
    ):
        model._default_manager.all()._raw_delete(using="default")
