"""Frames held while a snapshot is read go only to the connection that gets the snapshot."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from chat import publish
from chat.access.owner import local_owner
from chat.display.snapshots import empty
from chat.protocol import Frame
from chat.socket.subscription import Subscription
from tests.support.conversations import talk


class Connection:
    """A connection that records the frames it gets."""

    owner = None
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
