"""Fixtures for tests of the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann", email="ann@example.org")
