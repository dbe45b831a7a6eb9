"""Tool calls over HTTP: forms that decide, the admin's actions, what is remembered."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from chat.access import local_owner
from chat.models import Conversation, Message, ToolCall, ToolRule, Turn
from tests.test_views import talk

pytestmark = pytest.mark.django_db


def pending(owner: User, name: str = "write_file", call_id: str = "../a") -> ToolCall:
    """A call that waits, in a turn of its own."""
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


@pytest.fixture
def call() -> ToolCall:
    return pending(local_owner())


def page_of(call: ToolCall, rest: str = "") -> str:
    return f"/c/{call.message.conversation_id}/{rest}"


def status(call: ToolCall) -> str:
    call.refresh_from_db()
    return call.status


def test_the_page_asks(client: Client, call: ToolCall) -> None:
    page = client.get(page_of(call)).content.decode()
    assert 'data-status="pending" open' in page
    assert "waits for your approval" in page
    assert f'action="{page_of(call, "calls/")}"' in page  # the model's id is no part of it
    assert ">x\ny</pre>" in page
    assert "&lt;b&gt;" in page
    assert 'class="dot waits"' in page


def test_characters_that_reorder_a_line_are_spelled_out(client: Client, call: ToolCall) -> None:
    call.arguments = '{"path": "a\\u202etxt.exe"}'
    call.save()
    assert ">a\\u202etxt.exe</pre>" in client.get(page_of(call)).content.decode()


@pytest.mark.parametrize(("word", "becomes"), [("yes", "approved"), ("no", "denied")])
def test_a_form_decides_once(client: Client, call: ToolCall, word: str, becomes: str) -> None:
    fields = {"call_id": call.call_id, "approved": word}
    answer = client.post(page_of(call, "calls/"), fields)
    assert answer["Location"] == page_of(call)
    assert status(call) == becomes
    assert (call.decided_from, call.decided_by) == ("page", local_owner())
    again = client.post(page_of(call, "calls/"), {**fields, "approved": "yes"}, follow=True)
    assert "This call does not wait for an approval." in again.content.decode()
    assert status(call) == becomes


def test_strangers_decide_nothing(client: Client) -> None:
    call = pending(User.objects.create(username="stranger"))
    fields = {"call_id": call.call_id, "approved": "yes"}
    assert client.post(page_of(call, "calls/"), fields).status_code == 404
    assert client.post(page_of(call, "rules/"), {"tool": call.name}).status_code == 404
    assert status(call) == "pending"


def test_a_remembered_decision_is_taken_back(client: Client, call: ToolCall) -> None:
    fields = {"call_id": call.call_id, "approved": "no", "remember": "on"}
    client.post(page_of(call, "calls/"), fields)
    assert "Always denied here:" in client.get(page_of(call, "settings/")).content.decode()
    for _ in range(2):  # the second time nothing is left
        answer = client.post(page_of(call, "rules/"), {"tool": call.name})
        assert answer["Location"] == page_of(call, "settings/")
    assert not ToolRule.objects.exists()


@pytest.mark.parametrize(("action", "becomes"), [("approve", "approved"), ("deny", "denied")])
def test_staff_decide_for_anybody(client: Client, action: str, becomes: str) -> None:
    call = pending(User.objects.create(username="stranger"))
    url = "/admin/chat/toolcall/"
    fields = {"action": action, "_selected_action": str(call.pk)}
    assert "1 call" in client.post(url, fields, follow=True).content.decode()
    assert status(call) == becomes
    assert (call.decided_from, call.decided_by) == ("admin", local_owner())
    assert LogEntry.objects.get().object_id == str(call.pk)
    page = client.post(url, fields, follow=True).content.decode()
    assert "does not wait for an approval" in page
    assert LogEntry.objects.count() == 1


def test_staff_take_a_decision_back(client: Client) -> None:
    conversation = Conversation.objects.create(owner=local_owner())
    rule = ToolRule.objects.create(conversation=conversation, tool="write_file", allow=True)
    client.post(f"/admin/chat/toolrule/{rule.pk}/delete/", {"post": "yes"})
    assert not ToolRule.objects.exists()
