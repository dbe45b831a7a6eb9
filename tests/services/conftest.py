"""Fixtures for tests of the services."""

from __future__ import annotations

from uuid import UUID

import pytest

from chat.models import Message
from chat.services import hidden
from tests.services.hiding import import_it
from tests.transfer.samples import LONG


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A conversation whose importer was killed in the middle."""
    monkeypatch.setattr(hidden, "give_up", lambda _: None)  # as after a kill
    with pytest.raises(KeyboardInterrupt):
        import_it(stop_at=0.3)
    monkeypatch.undo()
    assert hidden.list_hidden() == [(UUID(LONG), "arriving")]
    assert 0 < Message.objects.count() < 600
    return UUID(LONG)
