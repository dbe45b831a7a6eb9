"""Frames reach listeners in an order that makes sense to a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from chat import publish
from chat.models import Notice
from chat.protocol import ConversationDeleted, ConversationDeletedData, Done


class Listener:
    """A subscription that records the frames it gets."""

    render = False
    seen = 0

    def __init__(self) -> None:
        self.heard: list[str] = []

    def deliver(self, seq: int | None, text: str, *, ends: uuid.UUID | None = None) -> None:
        self.heard.append(text)

    async def refresh(self) -> None: ...

    def forget(self) -> None:
        self.heard.append("forgotten")


@pytest.fixture
def conversation() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def listener(conversation: uuid.UUID) -> Iterator[Listener]:
    listener = Listener()
    publish.subscribe(conversation, listener)
    yield listener
    publish.unsubscribe(conversation, listener)


def deletion(conversation: uuid.UUID) -> Notice:
    frame = ConversationDeleted(data=ConversationDeletedData(session_id=str(conversation)))
    return Notice(owner_id=1, gone=conversation, frame=frame.encode())


@pytest.mark.promise(1)
def test_a_stored_end_is_sent_before_a_later_deletion(
    conversation: uuid.UUID, listener: Listener
) -> None:
    """Promise 1: a deletion between an end's commit and its frames swallows no `done`."""
    done = Done(message_id=str(uuid.uuid4()), status="completed")
    publish.hold(conversation)
    publish.hear(deletion(conversation))
    publish.tell(conversation, done)
    publish.release(conversation)
    assert listener.heard == [done.encode(), "forgotten"]


def test_a_deletion_at_any_other_time_is_sent_at_once(
    conversation: uuid.UUID, listener: Listener
) -> None:
    publish.hold(conversation)
    publish.release(conversation)
    publish.hear(deletion(conversation))
    assert listener.heard == ["forgotten"]
