"""Reading conversations from the database in the shape of the archive, in bounded memory.

Small ones are read whole, many at once; of a long one first an outline of its messages, then their
texts, a few megabytes at a time. Callers read within one snapshot.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum
from django.db.models.functions import Length

from chat.models import Conversation, Message, OpaquePart, Piece, ToolCall, ToolRule, Turn
from chat.transfer.archive.format import (
    FORMAT,
    VERSION,
    ArchivedCall,
    ArchivedConversation,
    ArchivedMessage,
    ArchivedOpaque,
    ArchivedRule,
    ArchivedTurn,
)

Json = dict[str, Any]

GROUP_CHARACTERS = 2 * 1024 * 1024
"""Code points of text held at once, or one message if it is longer."""
GROUP_MESSAGES = 2000
GROUP_IDS = 500
"""SQLite takes a limited number of parameters."""

_ELSEWHERE = {
    "owner": "owner__username",
    "leaf": "leaf_id",
    "parent": "parent_id",
    "decided_by": "decided_by__username",
}
"""The column of a key whose name differs."""


def _keys(model: type[Any], *not_columns: str) -> tuple[str, ...]:
    return tuple(name for name in model.model_fields if name not in not_columns)


def _columns(keys: Iterable[str], prefix: str = "") -> list[str]:
    return [prefix + _ELSEWHERE.get(key, key) for key in keys]


_HEAD = _keys(ArchivedConversation, "format", "version", "rules", "messages")
_MESSAGE = _keys(ArchivedMessage, "turn", "calls", "opaque")
_TURN = _keys(ArchivedTurn)
_CALL = _keys(ArchivedCall)
_OPAQUE = _keys(ArchivedOpaque)
_RULE = _keys(ArchivedRule)


@dataclass(frozen=True, slots=True)
class Stored:
    """A conversation as it is stored."""

    head: Json
    """All of the archive's keys except `messages`."""
    outline: list[Json]
    """Its messages in the archive's order; for a long conversation, without texts, turns and calls."""
    is_long: bool

    @property
    def id(self) -> UUID:
        found: UUID = self.head["id"]
        return found

    def load(self, order: Iterable[Json]) -> Iterator[Json]:
        """Yield whole messages for the given ones of `outline`, in their order."""
        return _fetched(order) if self.is_long else iter(order)


def conversations(ids: Sequence[UUID]) -> Iterator[Stored]:
    """Yield the conversations with these ids, each to be used before the next; skip deleted ones."""
    heads = _heads(ids)
    sizes = _sizes(ids)
    present = [(pk, *sizes[pk]) for pk in ids if pk in heads]
    for group in _groups(present, GROUP_MESSAGES):
        is_long = any(size > GROUP_CHARACTERS or n > GROUP_MESSAGES for _, n, size in group)
        read = _outline if is_long else _whole
        said = read([pk for pk, _, _ in group])
        for pk, _, _ in group:
            said[pk].sort(key=lambda message: (message["created_at"], message["id"]))
            yield Stored(heads[pk], said.pop(pk), is_long)


def _heads(ids: Sequence[UUID]) -> dict[UUID, Json]:
    begun = Conversation.objects.filter(pk__in=ids, leaf__isnull=False)
    heads = {row[0]: _head(row) for row in begun.values_list(*_columns(_HEAD))}
    rules = ToolRule.objects.filter(conversation__in=list(heads))
    for conversation_id, *row in rules.values_list("conversation_id", *_columns(_RULE)):
        heads[conversation_id]["rules"].append(dict(zip(_RULE, row, strict=True)))
    for head in heads.values():
        head["rules"].sort(key=lambda rule: (rule["created_at"], rule["tool"]))
    return heads


def _head(row: tuple[Any, ...]) -> Json:
    head: Json = {"format": FORMAT, "version": VERSION, **dict(zip(_HEAD, row, strict=True))}
    head["rules"] = []
    if head["temperature"] is not None:
        head["temperature"] += 0.0  # not all databases keep a negative zero
    return head


def _sizes(ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return the number of messages of each conversation, and of code points in their texts."""
    said = Message.objects.filter(conversation__in=ids).order_by()
    texts = Sum(Length("content") + Length("reasoning"))
    counted = said.values_list("conversation_id").annotate(n=Count("pk"), size=texts)
    beside = _beside("message__conversation", message__conversation__in=ids)
    return {pk: (count, size + beside[pk]) for pk, count, size in counted}


def _beside(per: str, **which: Any) -> Counter[UUID]:
    """Count the code points of calls and opaque parts, per message or conversation."""
    sizes: Counter[UUID] = Counter()
    for model, size in (
        (ToolCall, Length("arguments") + Length("edited_arguments") + Length("result")),
        (OpaquePart, Length("source") + Length("data")),
    ):
        rows = model._default_manager.filter(**which).order_by().values_list(per)
        sizes.update(dict(rows.annotate(size=Sum(size))))
    return sizes


Sized = tuple[UUID, int, int]
"""An id, its number of messages, and of code points."""


def _groups(sized: Iterable[Sized], most: int) -> Iterator[list[Sized]]:
    """Group as much as may be held at once; a longer one forms a group of its own."""
    group: list[Sized] = []
    messages = characters = 0
    for one in sized:
        messages, characters = messages + one[1], characters + one[2]
        if group and (messages > most or characters > GROUP_CHARACTERS):
            yield group
            group, messages, characters = [], one[1], one[2]
        group.append(one)
    if group:
        yield group


def _whole(ids: Sequence[UUID]) -> dict[UUID, list[Json]]:
    said: dict[UUID, list[Json]] = {pk: [] for pk in ids}
    for conversation_id, message in _messages(conversation__in=ids):
        said[conversation_id].append(message)
    return said


def _outline(ids: Sequence[UUID]) -> dict[UUID, list[Json]]:
    """Read what is needed to order the messages of one long conversation."""
    (pk,) = ids
    beside = _beside("message_id", message__conversation=pk)
    keys = ("id", "parent", "role", "withdrawn", "created_at")
    rows = Message.objects.filter(conversation=pk).values_list(
        *_columns(keys), Length("content") + Length("reasoning")
    )
    return {
        pk: [
            {**dict(zip(keys, row, strict=False)), "size": row[-1] + beside[row[0]]}
            for row in rows.iterator(2000)
        ]
    }


def _fetched(order: Iterable[Json]) -> Iterator[Json]:
    sized = ((said["id"], 1, said["size"]) for said in order)
    for group in _groups(sized, GROUP_IDS):
        ids = [pk for pk, _, _ in group]
        found = {message["id"]: message for _, message in _messages(pk__in=ids)}
        for pk in ids:
            yield found.pop(pk)


def _messages(**which: Sequence[UUID]) -> Iterator[tuple[UUID, Json]]:
    """Yield whole messages, each with the id of its conversation."""
    of_them = {f"message__{name}": ids for name, ids in which.items()}
    calls = _parts(ToolCall, _CALL, of_them)
    opaque = _parts(OpaquePart, _OPAQUE, of_them)
    rows = Message.objects.filter(**which).values_list(
        "conversation_id", "turn__id", *_columns(_MESSAGE), *_columns(_TURN, "turn__")
    )
    for conversation_id, turn_id, *row in rows:
        message: Json = dict(zip(_MESSAGE, row, strict=False))
        message["turn"] = turn_id and dict(zip(_TURN, row[len(_MESSAGE) :], strict=True))
        message["calls"] = calls.get(message["id"], ())
        message["opaque"] = opaque.get(message["id"], ())
        if turn_id and message["turn"]["status"] in Turn.UNFINISHED:
            so_far = Piece.objects.so_far(turn_id)
            message["content"], message["reasoning"] = so_far.text, so_far.reasoning
        yield conversation_id, message


def _parts(
    model: type[ToolCall] | type[OpaquePart], keys: Sequence[str], which: Json
) -> dict[UUID, list[Json]]:
    """Read the calls or opaque parts of messages, in their order of creation."""
    parts: defaultdict[UUID, list[Json]] = defaultdict(list)
    rows = model._default_manager.filter(**which).order_by("pk")
    for message_id, *row in rows.values_list("message_id", *_columns(keys)):
        parts[message_id].append(dict(zip(keys, row, strict=True)))
    return parts
