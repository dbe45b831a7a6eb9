"""Tool calls over HTTP: the page's forms, the admin's actions, remembered rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from importlib import import_module
from time import sleep

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.forms import model_to_dict
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat.access.owner import local_owner
from chat.db import process
from chat.models import Conversation, Message, ToolCall, ToolRule, Turn
from chat.turns import approvals, poller, transitions
from chat.turns.live import LiveTurn
from tests.support.conversations import talk

pytestmark = pytest.mark.django_db


def pending(owner: User, name: str = "write_file", call_id: str = "../a") -> ToolCall:
    """Make a pending call in its own turn."""
    conversation = talk(owner, "Write", "")
    Turn.objects.filter(conversation=conversation).update(status=Turn.Status.WAITING)
    return ToolCall.objects.create(
        message=Message.objects.get(conversation=conversation, role="assistant"),
        call_id=call_id,
        round=0,
        offset=0,
        name=name,
        arguments='{"path": "<b>", "content": "x\\ny"}',
        status=ToolCall.Status.PENDING,
    )


def another(call: ToolCall, **fields: object) -> ToolCall:
    """Make one more call in the same answer."""
    also = {"pk": None, "call_id": "another", **fields}
    return ToolCall.objects.create(**{**model_to_dict(call), **also, "message": call.message})


@pytest.fixture
def call() -> ToolCall:
    return pending(local_owner())


def page_of(call: ToolCall, rest: str = "") -> str:
    return f"/c/{call.message.conversation_id}/{rest}"


def status(call: ToolCall) -> str:
    call.refresh_from_db()
    return call.status


def test_the_page_asks_for_a_decision(client: Client, call: ToolCall) -> None:
    page = client.get(page_of(call)).content.decode()
    assert 'data-status="pending" open' in page
    assert "needs your approval" in page
    assert f'action="{page_of(call, "calls/")}"' in page  # the call id is not part of the URL
    assert ">x\ny</pre>" in page
    assert "&lt;b&gt;" in page
    assert 'class="dot waits"' in page


def test_characters_that_reorder_a_line_are_spelled_out(client: Client, call: ToolCall) -> None:
    call.arguments = '{"path": "a\\u202etxt.exe"}'
    call.save()
    assert ">a\\u202etxt.exe</pre>" in client.get(page_of(call)).content.decode()


@pytest.mark.promise(5)
@pytest.mark.parametrize(("word", "becomes"), [("yes", "approved"), ("no", "denied")])
def test_a_form_decides_once(client: Client, call: ToolCall, word: str, becomes: str) -> None:
    fields = {"call_id": call.call_id, "approved": word}
    answer = client.post(page_of(call, "calls/"), fields)
    assert answer["Location"] == page_of(call)
    assert status(call) == becomes
    assert (call.decided_from, call.decided_by) == ("page", local_owner())
    again = client.post(page_of(call, "calls/"), {**fields, "approved": "yes"}, follow=True)
    assert "This call is not waiting for approval." in again.content.decode()
    assert status(call) == becomes


@pytest.mark.promise(8)
def test_others_cannot_decide(client: Client) -> None:
    call = pending(User.objects.create(username="stranger"))
    fields = {"call_id": call.call_id, "approved": "yes"}
    assert client.post(page_of(call, "calls/"), fields).status_code == 404
    assert client.post(page_of(call, "rules/"), {"tool": call.name}).status_code == 404
    assert status(call) == "pending"


def test_a_remembered_decision_can_be_forgotten(client: Client, call: ToolCall) -> None:
    fields = {"call_id": call.call_id, "approved": "no", "remember": "on"}
    client.post(page_of(call, "calls/"), fields)
    assert "Always denied here:" in client.get(page_of(call, "settings/")).content.decode()
    for _ in range(2):  # the second time there is none left
        answer = client.post(page_of(call, "rules/"), {"tool": call.name})
        assert answer["Location"] == page_of(call, "settings/")
    assert not ToolRule.objects.exists()


@pytest.mark.promise(5, 8)
@pytest.mark.parametrize(("action", "becomes"), [("approve", "approved"), ("deny", "denied")])
def test_staff_can_decide_for_anybody(client: Client, action: str, becomes: str) -> None:
    call = pending(User.objects.create(username="stranger"))
    url = "/admin/chat/toolcall/"
    fields = {"action": action, "_selected_action": str(call.pk)}
    assert "1 call" in client.post(url, fields, follow=True).content.decode()
    assert status(call) == becomes
    assert (call.decided_from, call.decided_by) == ("admin", local_owner())
    assert LogEntry.objects.get().object_id == str(call.pk)
    page = client.post(url, fields, follow=True).content.decode()
    assert "is not waiting for approval" in page
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("more", [{}, {"one": "1"}])
def test_a_call_that_is_gone_is_not_decided(client: Client, more: dict[str, str]) -> None:
    """Its conversation was deleted in another tab."""
    fields = {"action": "deny", "_selected_action": "1", **more}
    page = client.post("/admin/chat/toolcall/", fields, follow=True).content.decode()
    assert "This call no longer exists." in page


def test_staff_can_forget_a_remembered_decision(client: Client) -> None:
    conversation = Conversation.objects.create(owner=local_owner())
    rule = ToolRule.objects.create(conversation=conversation, tool="write_file", allow=True)
    client.post(f"/admin/chat/toolrule/{rule.pk}/delete/", {"post": "yes"})
    assert not ToolRule.objects.exists()


@pytest.mark.promise(5)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one after the other")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_last", [True, False])
def test_a_decision_while_the_turn_begins_to_wait_is_not_missed(is_last: bool) -> None:
    """Promise 4: neither transaction may see the rows from before the other one."""
    call = pending(local_owner())
    if not is_last:
        another(call)
    turn = Turn.objects.get(message=call.message_id)
    Turn.objects.update(status=Turn.Status.RUNNING, process=process.identity)
    live = LiveTurn(
        turn_id=turn.pk, message_id=call.message_id, conversation_id=turn.conversation_id,
        owner_id=call.message.owner_id, client_id=None, model="", context=None, seq=0, is_first=False,
    )  # fmt: skip

    def wait() -> None:
        with closing(connection), transaction.atomic():
            transitions.wait(live)

    with ThreadPoolExecutor(1) as another_thread:
        with transaction.atomic():
            where = ToolCall.DecidedFrom.PAGE
            approvals.resolve(call, approved=True, by=local_owner(), where=where)
            waiting = another_thread.submit(wait)
            while not waiting.done() and not _somebody_waits_for_a_lock():
                sleep(0.01)
        waiting.result()
    turn.refresh_from_db()
    assert turn.status == Turn.Status.QUEUED


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.promise(5)
def test_a_call_that_waited_too_long_counts_as_denied(call: ToolCall, settings: Settings) -> None:
    in_time = another(call, call_id="in time")
    days = timedelta(days=settings.TALOS_APPROVAL_DAYS)
    for each, age in ((call, days + timedelta(minutes=1)), (in_time, days - timedelta(minutes=1))):
        ToolCall.objects.filter(pk=each.pk).update(created_at=timezone.now() - age)
    poller.tidy()
    assert status(call) == "denied"
    assert call.decided_from == ToolCall.DecidedFrom.EXPIRY
    assert Turn.objects.get(message=call.message).status == Turn.Status.QUEUED
    assert status(in_time) == "pending"


def test_an_expired_call_joins_the_running_ones(call: ToolCall, settings: Settings) -> None:
    running = another(call, status=ToolCall.Status.RUNNING)
    Turn.objects.update(status=Turn.Status.RUNNING)
    long_ago = timezone.now() - timedelta(days=settings.TALOS_APPROVAL_DAYS + 1)
    ToolCall.objects.filter(pk=call.pk).update(created_at=long_ago)
    poller.tidy()
    assert (status(call), status(running)) == ("denied", "running")
    assert Turn.objects.get().status == Turn.Status.RUNNING


@pytest.mark.parametrize(
    ("decided", "ends"), [("approved", "queued"), ("denied", "queued"), ("finished", "waiting")]
)
def test_calls_decided_before_an_update_do_not_keep_waiting(
    call: ToolCall, decided: str, ends: str
) -> None:
    """Earlier versions left them waiting until the others were decided."""
    ended_at = timezone.now() if decided == "finished" else None
    another(call, status=decided, ended_at=ended_at)
    import_module("chat.migrations.0010_approved_calls").take_up(apps, None)
    assert Turn.objects.get().status == ends
