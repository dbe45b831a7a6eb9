"""Code written by hand for speed does the same as the slow way."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chat.db import sql
from chat.models import Conversation, Message, Piece, Turn
from chat.protocol import Delta, QuickDelta
from chat.turns import pieces
from chat.turns.batches import Batch
from chat.turns.live import LiveTurn

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
"""Texts that `llm/text.py` lets through."""
TIMES = (timezone.now(), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))  # one without a fraction


@given(texts, st.integers(0, 2**53))
def test_a_quick_delta_is_encoded_like_a_delta(content: str, seq: int) -> None:
    assert QuickDelta(seq, content).encode() == Delta(content=content, seq=seq).encode()


@pytest.fixture
def turn(db: None) -> Turn:
    owner = User.objects.create(username="somebody")
    conversation = Conversation.objects.create(owner=owner)
    message = Message.objects.create(conversation=conversation, owner=owner, role="assistant")
    return Turn.objects.create(message=message, conversation=conversation, model="m")


@pytest.mark.parametrize("time", TIMES)
def test_rows_are_stored_and_read_as_by_the_orm(turn: Turn, time: datetime) -> None:
    owner = turn.conversation.owner
    said = [
        Message(
            conversation=turn.conversation, owner=owner, role="user", content="ä", created_at=time
        )
        for _ in range(2)
    ]
    sql.insert(*said)
    another = Turn(message=said[1], conversation=turn.conversation, model="m", context=3)
    sql.insert(another)
    for row in (*said, another):
        stored = type(row)._default_manager.get(pk=row.pk)
        assert stored.__dict__ | {"_state": 0} == _plain(row) | {"_state": 0}
        (fetched,) = sql.fetch(type(row), "WHERE id = %s", row.pk)
        assert fetched.__dict__ | {"_state": 0} == stored.__dict__ | {"_state": 0}
    assert Message.objects.filter(created_at=time).count() == 2  # as text, on SQLite


def _plain(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_an_update_returns_the_number_of_rows(turn: Turn) -> None:
    update = "UPDATE chat_turn SET model = %s WHERE message_id = %s"
    assert sql.change(update, "n", turn.message_id) == 1
    assert sql.change(update, "n", uuid4()) == 0


def test_pieces_are_stored_unchanged(turn: Turn) -> None:
    live = LiveTurn(
        turn_id=turn.pk,
        message_id=turn.message_id,
        conversation_id=turn.conversation_id,
        owner_id=turn.conversation.owner_id,
        client_id=None,
        model="m",
        context=None,
        seq=0,
        is_first=False,
    )

    @given(texts, texts)
    def stored(answer: str, reasoning: str) -> None:
        Piece.objects.all().delete()
        live.seq += 1
        batch = Batch(live, answer, reasoning, [QuickDelta(live.seq, answer)])
        batch.last_seq, batch.is_numbered, batch.thought = live.seq, True, 1
        pieces.append([batch])
        assert Piece.objects.so_far(turn.pk) == (live.seq, answer, reasoning)

    stored()
