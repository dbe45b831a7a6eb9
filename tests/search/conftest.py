"""Fixtures for tests of the search."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from chat.access.owner import local_owner


@pytest.fixture
def owner() -> User:
    return local_owner()
