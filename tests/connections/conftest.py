"""A process without connections, and its owner."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from chat.access.owner import local_owner
from chat.connections import current
from tests.support.model_server import ModelServer


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_known", current._Known())
    monkeypatch.setattr("chat.llm.catalogue.models._catalogue", None)


@pytest.fixture
def owner(transactional_db: None) -> User:
    return local_owner()


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer(models=["ant-1", "ant-2"]) as server:
        yield server
