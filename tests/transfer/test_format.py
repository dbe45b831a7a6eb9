"""The archive is the same in the code, in its documentation and in the database."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.db.models import Model

from chat.models import Conversation, Message, OpaquePart, ToolCall, ToolRule, Turn
from chat.transfer.archive import format as archive
from chat.transfer.archive import older
from chat.transfer.archive.format import (
    Archived,
    ArchivedCall,
    ArchivedConversation,
    ArchivedMessage,
    ArchivedOpaque,
    ArchivedRule,
    ArchivedTurn,
)
from chat.transfer.archive.rows import conversations
from tests.support.conversations import talk

DOCS = (settings.BASE_DIR / "docs" / "archive.md").read_text()

NOT_EXPORTED: dict[type[Model], set[str]] = {
    Conversation: {"hidden"},  # a state of unfinished work, which an archive does not continue
    Message: {"conversation", "owner"},  # keys of the enclosing conversation
    Turn: {"id", "message", "conversation", "process", "heartbeat_at"},
    ToolCall: {"id", "message"},
    OpaquePart: {"id", "message"},
    ToolRule: {"id", "conversation", "imported"},  # an imported rule is exported like any other
}
ROWS: dict[type[Archived], type[Model]] = {
    ArchivedConversation: Conversation,
    ArchivedRule: ToolRule,
    ArchivedMessage: Message,
    ArchivedTurn: Turn,
    ArchivedCall: ToolCall,
    ArchivedOpaque: OpaquePart,
}


@pytest.mark.parametrize("part", ROWS)
def test_no_column_is_forgotten(part: type[Archived]) -> None:
    """Every new column must be in the archive or be excluded here."""
    columns = {field.name for field in ROWS[part]._meta.concrete_fields}
    beside = {"format", "version", "rules", "messages", "turn", "calls", "opaque"}
    assert set(part.model_fields) - beside == columns - NOT_EXPORTED[ROWS[part]]


@pytest.mark.parametrize("part", ROWS)
def test_every_key_is_documented_and_no_other(part: type[Archived]) -> None:
    name = part.__name__.removeprefix("Archived")
    table = DOCS.split(f"### {name}\n")[1].split("\n#")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(part.model_fields)


def test_keys_missing_from_version_1_are_documented() -> None:
    later = {
        key for part in ROWS for key, field in part.model_fields.items() if not field.is_required()
    }
    section = DOCS.split("## Version 1\n")[1].split("\n#")[0].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", section)) == later


@pytest.mark.parametrize("part", ROWS)
def test_exactly_the_keys_missing_from_version_1_are_counted(part: type[Archived]) -> None:
    later = {key for key, field in part.model_fields.items() if not field.is_required()}
    assert later <= older._NAMES.keys()
    assert later == set() or part in {
        ArchivedConversation,
        ArchivedMessage,
        *older._PARTS.values(),
    }


def test_the_limits_are_documented() -> None:
    assert f"{archive.MAX_BYTES // 2**20} MiB" in DOCS
    assert f"{archive.MAX_MESSAGES:,} messages" in DOCS
    assert f"{archive.MAX_TEXT:,} characters" in DOCS
    assert f"from {archive.YEARS.start} to {archive.YEARS.stop - 1}" in DOCS
    assert f'"format": "{archive.FORMAT}", "version": {archive.VERSION}' in DOCS


@pytest.mark.django_db
def test_keys_are_written_in_the_documented_order() -> None:
    from chat.access.owner import local_owner

    conversation = talk(local_owner(), "Hi", "Ho")
    answer = Message.objects.get(role="assistant")
    call = {"round": 0, "offset": 0, "arguments": "{}", "status": "finished"}
    ToolCall.objects.create(message=answer, call_id="c", name="t", **call)
    OpaquePart.objects.create(message=answer, round=0, kind="k", data="d")
    ToolRule.objects.create(conversation=conversation, tool="t", allow=True)
    (stored,) = conversations([conversation.pk])
    written = stored.outline[1]
    assert [*stored.head, "messages"] == list(ArchivedConversation.model_fields)
    assert list(stored.head["rules"][0]) == list(ArchivedRule.model_fields)
    assert list(written) == list(ArchivedMessage.model_fields)
    assert list(written["turn"]) == list(ArchivedTurn.model_fields)
    assert list(written["calls"][0]) == list(ArchivedCall.model_fields)
    assert list(written["opaque"][0]) == list(ArchivedOpaque.model_fields)
