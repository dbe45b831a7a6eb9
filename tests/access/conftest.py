"""A client that must cause no error, and a conversation for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.access.owner import local_owner
from chat.models import Conversation, Message, ToolCall
from tests.support import histories


@pytest.fixture
def owner() -> User:
    return local_owner()


@pytest.fixture
def conversation(owner: User) -> Conversation:
    made = histories.make(1, messages=4, text="tea", owner=owner)[0]
    answer = made.message_set.filter(role=Message.Role.ASSISTANT)[0]
    ToolCall.objects.create(
        message=answer, call_id="c", round=0, offset=0, name="calculate", arguments="{}",
        status=ToolCall.Status.PENDING,
    )  # fmt: skip
    return made


@pytest.fixture
def http(caplog: pytest.LogCaptureFixture) -> Iterator[Client]:
    """A client; checks at the end that no error was logged."""
    with caplog.at_level(logging.WARNING):
        yield Client(raise_request_exception=False)
    faults = [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]
    assert not faults, faults[0].getMessage()
