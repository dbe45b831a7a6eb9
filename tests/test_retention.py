"""`TALOS_RETENTION_DAYS`: old conversations are deleted once a day; pinned ones stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from pytest_django import Settings

from chat.models import Audit, Conversation
from chat.upkeep.prune import retention
from tests.histories import make

pytestmark = pytest.mark.django_db(transaction=True)

keep = async_to_sync(retention.run)


def left() -> int:
    return Conversation.objects.count()


def test_it_is_off_by_default() -> None:
    make(1)
    keep()
    assert left() == 1


def test_old_conversations_are_deleted_and_pinned_ones_kept(settings: Settings) -> None:
    settings.TALOS_RETENTION_DAYS = 30
    make(2)
    make(1, pinned=True)
    make(1, age=timedelta(29))
    keep()
    assert left() == 2
    audit = Audit.objects.get()
    assert (audit.action, audit.source, audit.by) == ("prune", "retention", None)
    assert "2 with 8 messages were deleted" in audit.summary


def test_nothing_is_recorded_if_nothing_is_old(settings: Settings) -> None:
    settings.TALOS_RETENTION_DAYS = 30
    make(1, pinned=True)
    keep()
    assert not Audit.objects.exists()


def test_retention_runs_once_a_day(settings: Settings) -> None:
    settings.TALOS_RETENTION_DAYS = 30
    make(1)
    keep()
    make(1)
    keep()
    assert left() == 1
    Audit.objects.update(created_at=timezone.now() - timedelta(1))
    keep()
    assert left() == 0
    assert Audit.objects.count() == 2


def test_only_one_of_several_servers_does_it(settings: Settings) -> None:
    settings.TALOS_RETENTION_DAYS = 30
    make(3)
    both()
    assert left() == 0
    assert Audit.objects.count() == 1


@async_to_sync
async def both() -> None:
    """Two servers check at the same moment."""
    import asyncio

    await asyncio.gather(retention.run(), retention.run())
