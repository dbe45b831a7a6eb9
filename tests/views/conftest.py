"""Fixtures for tests of pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from chat.access.owner import local_owner
from chat.models import Conversation
from tests.support.conversations import talk


@pytest.fixture
def owner() -> User:
    return local_owner()


@pytest.fixture
def conversation() -> Conversation:
    return talk(local_owner(), "Hi", "Ho")
