"""Converting an exported conversation to an archived one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid5

from chat.models import OPENING_WORDS, Conversation
from chat.models import Message as Row
from chat.transfer.archive.format import (
    FORMAT,
    MAX_TEXT,
    VERSION,
    YEARS,
    ArchivedConversation,
    ArchivedMessage,
)
from chat.transfer.importers.chatgpt.answers import Answer
from chat.transfer.importers.chatgpt.exported import Exported, Message
from chat.transfer.importers.chatgpt.ids import Names, conversation_id
from chat.transfer.importers.chatgpt.instructions import instructions
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.chatgpt.marks import plain
from chat.transfer.importers.chatgpt.markup import replace_unstorable
from chat.transfer.importers.chatgpt.walk import Beginning, Question, Spoken, Walk

MAX_TITLE = 200


def convert(exported: Exported, left_out: LeftOut) -> ArchivedConversation | None:
    """Convert it; None if it has no messages. Raises `ValueError` if no message is understood."""
    fields, notes = exported.fields, exported.notes
    created_at = fields.moment("create_time") or _earliest(exported)
    walk = Walk(exported, created_at, left_out)
    walk.run()
    if not walk.spoken:
        if notes.concern_messages:
            raise ValueError(f"nothing in it is understood: {'; '.join(notes)[:300]}")
        return None
    first = next((one.node_id for one in walk.spoken if isinstance(one, Question)), "")
    own_id = conversation_id(exported, first)
    ids = _ids(own_id, walk)
    messages = _convert_messages(walk, ids)
    current = walk.ends.get(fields.text("current_node"))
    title = " ".join(replace_unstorable(plain(fields.text("title"))).split())[:MAX_TITLE]
    by_model = Conversation.TitledBy.MODEL
    return ArchivedConversation(
        format=FORMAT,
        version=VERSION,
        id=own_id,
        owner="",
        # without an ellipsis, as in earlier imports of the same file
        title=title or " ".join(messages[0].content.split())[:OPENING_WORDS],
        titled_by=by_model if title else Conversation.TitledBy.OPENING,
        model="",
        instructions=instructions(_messages(exported), left_out),
        temperature=None,
        max_output_tokens=None,
        pinned=fields.flag("is_starred") or fields.moment("pinned_time") is not None,
        archived=fields.flag("is_archived"),
        unread=False,
        seq=0,
        leaf=ids[current] if current else messages[-1].id,
        created_at=created_at,
        updated_at=max(fields.moment("update_time") or messages[-1].created_at, created_at),
        rules=(),
        messages=tuple(messages),
    )


def _ids(own_id: UUID, walk: Walk) -> dict[Spoken, UUID]:
    names = Names(walk.exported.mapping)
    return {
        one: uuid5(
            own_id,
            names.beginning(one.answer.node_id)
            if isinstance(one, Beginning)
            else names.of(one.node_id),
        )
        for one in walk.spoken
    }


def _convert_messages(walk: Walk, ids: dict[Spoken, UUID]) -> list[ArchivedMessage]:
    """Convert all messages, ordered by time."""
    default_model = walk.exported.fields.text("default_model_slug")
    for one in walk.spoken:
        if one.length > MAX_TEXT:
            walk.exported.notes.add(f"a text of {one.length:,} characters was cut to {MAX_TEXT:,}")
    messages = [_message(one, above, ids, default_model) for one, above in walk.spoken.items()]
    return sorted(messages, key=lambda message: (message.created_at, message.id))


def _message(
    one: Spoken, above: Spoken | None, ids: dict[Spoken, UUID], default_model: str
) -> ArchivedMessage:
    parent = ids[above] if above else None
    if isinstance(one, Answer):
        return one.archive(ids[one], parent, default_model)
    return ArchivedMessage(
        id=ids[one],
        parent=parent,
        role=Row.Role.USER,
        content=one.text[:MAX_TEXT],
        reasoning="",
        client_id=None,
        withdrawn=False,
        created_at=one.created_at,
        turn=None,
        calls=(),
    )


def _messages(exported: Exported) -> Iterator[Message]:
    return (node.message for node in exported.mapping.values() if node.message)


def _earliest(exported: Exported) -> datetime:
    times = (message.time for message in _messages(exported) if message.time)
    return min(times, default=datetime(YEARS.start, 1, 1, tzinfo=UTC))
