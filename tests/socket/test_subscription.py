"""Frames held while a snapshot is read go only to the connection that gets the snapshot."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from chat import publish
from chat.access.owner import local_owner
from chat.db import process
from chat.display.snapshots import empty
from chat.models import Conversation, Turn
from chat.protocol import Frame
from chat.socket.subscription import Subscription
from tests.support.conversations import talk


class Connection:
    """A connection that records the frames it gets."""

    owner: User | None = None
    subscription: Subscription | None = None

    def __init__(self) -> None:
        self.heard: list[str] = []

    def tell(self, frame: Frame) -> None:
        self.heard.append(frame.type)

    def deliver(self, seq: int | None, text: str) -> None:
        self.heard.append(text)


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
def place(connection: Connection) -> Iterator[Subscription]:
    place = Subscription(connection, uuid.uuid4())  # type: ignore[arg-type]  # the owner is not used
    yield place
    publish.unsubscribe(place.conversation_id, place)


@pytest.mark.promise(2)
@pytest.mark.django_db
def test_held_frames_follow_the_snapshot(connection: Connection, place: Subscription) -> None:
    conversation = talk(local_owner(), "Hi")
    with place.holding():
        place.deliver(1, "a delta")
        place.show(empty(conversation, "demo"))
    assert connection.heard == ["event", "a delta"]


@pytest.mark.promise(2)
def test_held_frames_are_dropped_without_a_snapshot(
    connection: Connection, place: Subscription
) -> None:
    with place.holding():
        place.deliver(1, "a delta")
    assert connection.heard == []


@pytest.mark.promise(2)
@pytest.mark.django_db
def test_a_closed_subscription_drops_held_frames(
    connection: Connection, place: Subscription
) -> None:
    place.show(empty(talk(local_owner(), "Hi"), "demo"))
    with place.holding():
        place.deliver(1, "a delta")
        place.close()
    assert connection.heard == ["event"]


@pytest.fixture
def answered(connection: Connection) -> Iterator[tuple[Subscription, Turn]]:
    """A subscription that is owed the end of an answer of this server's, which is stored already."""
    conversation = talk(local_owner(), "Hi", "Hello")
    Conversation.objects.filter(pk=conversation.pk).update(seq=7)
    turn = Turn.objects.get(conversation=conversation)
    Turn.objects.update(process=process.identity)
    connection.owner = local_owner()
    place = connection.subscription = Subscription(connection, conversation.pk)  # type: ignore[arg-type]
    place.awaited.append(turn.message_id)
    yield place, turn
    publish.unsubscribe(conversation.pk, place)


@pytest.mark.promise(1)
@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_a_snapshot_that_overtakes_an_end_does_not_swallow_it(
    connection: Connection, answered: tuple[Subscription, Turn]
) -> None:
    place, turn = answered
    await place.refresh()
    place.deliver(7, "the numbered end", ends=turn.message_id)
    assert connection.heard == ["event", "done"]


@pytest.mark.promise(1)
@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_an_end_that_was_sent_is_not_sent_again(
    connection: Connection, answered: tuple[Subscription, Turn]
) -> None:
    place, turn = answered
    place.deliver(6, "the numbered end", ends=turn.message_id)
    await place.refresh()
    assert connection.heard == ["the numbered end", "event"]
