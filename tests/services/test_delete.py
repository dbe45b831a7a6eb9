"""Deleting a conversation removes everything in it and nothing else, in a few queries."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from typing import Protocol

import pytest

from chat import services
from chat.access.owner import local_owner
from chat.errors import SessionNotFound
from chat.models import Conversation, KeptRender, Message, OpaquePart, Piece, ToolCall, Turn
from chat.protocol import MAX_QUEUED


class AtMost(Protocol):
    def __call__(self, num: int, /) -> AbstractContextManager[object]: ...


@pytest.fixture
def long_conversation() -> uuid.UUID:
    owner, conversation_id = local_owner(), uuid.uuid4()
    for number in range(MAX_QUEUED):
        said = services.say(
            owner,
            conversation_id=conversation_id,
            text=str(number),
            default_model="m",
            begins=number == 0,
        )
        Piece.objects.create(turn=said.turn, seq=1, text="x")
        KeptRender.objects.create(message=said.turn.message, begin=0, key="k", html="x")
        ToolCall.objects.create(
            message=said.turn.message, call_id=str(number), round=0, offset=0, status="pending"
        )
    return conversation_id


@pytest.mark.django_db
def test_all_of_it_is_gone_in_a_few_queries(
    long_conversation: uuid.UUID, django_assert_max_num_queries: AtMost
) -> None:
    with django_assert_max_num_queries(32):
        services.delete(local_owner(), long_conversation)
    for model in (Conversation, KeptRender, Message, OpaquePart, Turn, Piece, ToolCall):
        assert not model._default_manager.exists()


@pytest.mark.django_db
def test_another_conversation_stays(long_conversation: uuid.UUID) -> None:
    other = uuid.uuid4()
    services.say(local_owner(), conversation_id=other, text="x", default_model="m", begins=True)
    services.delete(local_owner(), long_conversation)
    assert Message.objects.filter(conversation=other).count() == 2


@pytest.mark.promise(8)
@pytest.mark.django_db
def test_a_stranger_s_conversation_does_not_exist(
    long_conversation: uuid.UUID, django_user_model: type
) -> None:
    stranger = django_user_model.objects.create(username="stranger")  # type: ignore[attr-defined]
    with pytest.raises(SessionNotFound):
        services.delete(stranger, long_conversation)
    with pytest.raises(SessionNotFound):
        services.say(stranger, conversation_id=long_conversation, text="x", default_model="m")
    with pytest.raises(SessionNotFound):
        services.cancel(stranger, long_conversation)
    assert Conversation.objects.exists()
