"""The admin's start page: running answers, waiting calls, failures and usage."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat.access.owner import local_owner
from chat.admin.overview import DAYS, overview
from chat.models import Audit, Conversation, Turn
from tests.support.histories import call_in, make

pytestmark = pytest.mark.django_db


def titled(title: str, **changes: object) -> Conversation:
    """Make a conversation, with changes to its last turn."""
    (made,) = make(1, age=timedelta(30))
    Conversation.objects.filter(pk=made.pk).update(title=title)
    Turn.objects.filter(message=made.leaf_id).update(**changes)
    return made


def test_it_shows_current_activity(client: Client, settings: Settings) -> None:
    settings.TALOS_RETENTION_DAYS = 90
    titled("running one", status="running", started_at=timezone.now())
    titled("failed one", status="failed", error="The model went away.", error_details="502: gone")
    titled("queued one", status="queued", started_at=None)
    waiting = titled("waiting one", status="waiting")
    call_in(waiting, status="pending")
    Audit.objects.create(action="backup", source="command", summary="to a disk")
    text = client.get("/admin/").content.decode()
    for words in (
        "running one",
        "failed one",
        "The model went away.",
        "502: gone",
        "waiting one",
        "write_file",
    ):
        assert words in text
    assert "1 queued" in text
    assert "Last backup: just now." in text
    assert "unused for 90 days are deleted" in text


def test_it_says_when_there_is_nothing(client: Client) -> None:
    text = client.get("/admin/").content.decode()
    for words in ("No answer is being written.", "No calls are waiting.", "No failures."):
        assert words in text
    assert "No backup yet" in text
    assert "Nothing is deleted automatically." in text


def test_usage_is_by_day_and_by_model() -> None:
    make(2, age=timedelta(0))
    titled("costly", status="failed", model="gpt", cost="0.25", ended_at=timezone.now())
    make(1, age=timedelta(3))
    make(1, age=timedelta(DAYS + 1))
    found = overview()
    assert len(found.days) == DAYS
    assert sum(day.answers for day in found.days) == 7
    assert found.days[3].answers in (0, 2)  # an hour ago may be yesterday
    by_name = {used.name: used for used in found.models}
    assert set(by_name) == {"demo", "gpt"}
    assert (by_name["demo"].answers, by_name["demo"].read, by_name["demo"].cost) == (6, 600, None)
    gpt = by_name["gpt"]
    assert (gpt.answers, gpt.failed, gpt.cost) == (1, 1, Decimal("0.25"))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "UTC"])
def test_days_begin_at_midnight_in_the_pages_time_zone(zone: str) -> None:
    with timezone.override(zone):
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        (made,) = make(1, messages=2)
        for moment, today, yesterday in ((0, 1, 0), (-1, 0, 1)):
            ended = midnight + timedelta(seconds=moment)
            Turn.objects.filter(conversation=made).update(ended_at=ended)
            days = overview().days
            assert (days[0].answers, days[1].answers) == (today, yesterday)


def test_staff_without_permission_see_no_turns(client: Client, settings: Settings) -> None:
    titled("failed one", status="failed", error="The model went away.")
    clerk = local_owner()
    User.objects.filter(pk=clerk.pk).update(is_superuser=False)
    assert "The model went away." not in client.get("/admin/").content.decode()
