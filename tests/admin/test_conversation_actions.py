"""Changing conversations in the admin: through the services, recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, Notice, SearchEntry, ToolRule, Turn
from tests.admin.pages import LIST, do, page, recorded
from tests.support.conversations import talk
from tests.support.histories import call_in, make

pytestmark = pytest.mark.django_db


# --- actions ------------------------------------------------------------------------------------


def test_several_are_archived_and_unarchived(client: Client) -> None:
    made = make(2)
    assert "Archived: 2 conversations." in do(client, "archive", *made)
    assert Conversation.objects.filter(archived=True).count() == 2
    assert recorded(made[0]) == ["Archived."]
    do(client, "unarchive", *made)
    assert not Conversation.objects.filter(archived=True).exists()
    assert Notice.objects.filter(frame__contains=str(made[0].pk)).count() == 2  # pages are told


def test_an_action_from_its_own_page_returns_to_it(client: Client) -> None:
    (made,) = make(1)
    data = {"action": "archive", "_selected_action": str(made.pk), "one": "1"}
    answer = client.post(LIST, data)
    assert answer.headers["Location"] == f"{LIST}{made.pk}/change/"


def test_a_running_answer_is_stopped(client: Client) -> None:
    running, idle = make(2)
    Turn.objects.filter(message=running.leaf_id).update(status="running", process="elsewhere")
    text = do(client, "cancel", running, idle)
    assert "Stop requested: 1 conversation." in text
    assert "no answer is running" in text
    assert Turn.objects.get(message=running.leaf_id).cancel_requested_at is not None
    assert recorded(running) == ["Stop requested."]
    assert recorded(idle) == []


async def _whole(answer: Any) -> bytes:
    return b"".join([chunk async for chunk in answer.streaming_content])


def test_an_archive_is_exported(client: Client, ann: User) -> None:
    (mine,), (hers,) = make(1), make(1, owner=ann)
    data = {"action": "export", "_selected_action": [str(mine.pk), str(hers.pk)]}
    answer: Any = client.post(LIST, data)
    assert len(async_to_sync(_whole)(answer)) > 1000
    for close in answer._resource_closers:  # but not this test's connection
        close()
    assert "attachment" in answer.headers["Content-Disposition"]
    assert recorded(hers) == ["Exported."]


@pytest.mark.promise(5, 8)
def test_a_call_is_decided_from_the_transcript(client: Client) -> None:
    conversation = talk(local_owner(), "Write it", "")
    Turn.objects.update(status="waiting")
    call = call_in(conversation, status="pending")
    assert '<button class="button" name="action" value="approve">' in page(client, conversation)
    data = {"action": "approve", "_selected_action": str(call.pk), "one": "1"}
    answer = client.post("/admin/chat/toolcall/", data)
    assert answer.headers["Location"] == f"{LIST}{conversation.pk}/change/"
    call.refresh_from_db()
    assert (call.status, call.decided_from, call.decided_by) == ("approved", "admin", local_owner())
    assert Turn.objects.get().status == "queued"
    entry = LogEntry.objects.get(object_id=str(call.pk))
    assert entry.get_change_message() == "Approved."


def test_too_many_at_once_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("actions", "conversations"):
        monkeypatch.setattr(f"chat.admin.{module}.AT_ONCE", 1)
    made = make(2)
    assert "Nothing was done: select at most 1 conversations" in do(client, "archive", *made)
    assert not Conversation.objects.filter(archived=True).exists()
    assert "At most 1 at a time" in do(client, "delete_selected", *made, post="yes")
    assert Conversation.objects.count() == 2


def test_users_with_conversations_are_not_deleted(client: Client, ann: User) -> None:
    (hers,) = make(1, owner=ann)
    delete = f"/admin/auth/user/{ann.pk}/delete/"
    assert "ann has conversations" in client.get(delete).content.decode()
    client.post(delete, {"post": "yes"})
    assert Message.objects.filter(owner=ann).exists()
    services.delete(ann, hers.pk)
    client.post(delete, {"post": "yes"})
    assert not User.objects.filter(pk=ann.pk).exists()


def test_users_with_a_change_history_are_not_deleted(client: Client, ann: User) -> None:
    (made,) = make(1)
    LogEntry.objects.log_actions(ann.pk, [made], 2, "Read.", single_object=True)
    text = client.get(f"/admin/auth/user/{ann.pk}/delete/").content.decode()
    assert "ann has a change history" in text


# --- transfer -----------------------------------------------------------------------------------


def test_a_transfer_asks_for_the_new_owner(client: Client, ann: User) -> None:
    (made,) = make(1)
    text = do(client, "reassign", made)
    assert (
        "1 conversation with 4 messages, owned by owner, will be transferred to the new owner."
        in text
    )
    assert str(made) in text
    assert '<button class="button" name="pick" value="ann">' in do(
        client, "reassign", made, to="an"
    )
    assert "There is no user named “bob”." in do(client, "reassign", made, to="bob")
    assert Conversation.objects.get().owner == local_owner()


def test_a_transfer_includes_all_rows(client: Client, ann: User) -> None:
    (made,) = make(1)
    Message.objects.filter(conversation=made).update(client_id=None)
    assert "Transferred to ann: 1 conversation." in do(client, "reassign", made, to="ann")
    assert Conversation.objects.get().owner == ann
    for model in (Message, SearchEntry):
        assert set(model._default_manager.values_list("owner", flat=True)) == {ann.pk}
    assert recorded(made) == ["Transferred to ann."]


def test_pages_of_the_old_owner_are_told_of_the_deletion(ann: User) -> None:
    (made,) = make(1)
    services.reassign(local_owner(), made.pk, to=ann)
    gone, new = Notice.objects.order_by("pk")
    assert json.loads(gone.frame)["event"] == "conversation_deleted"
    assert (gone.owner, gone.gone) == (local_owner(), made.pk)
    assert (new.owner, new.gone) == (ann, None)


def test_rules_and_client_ids_are_not_transferred(ann: User) -> None:
    (mine,), (hers,) = make(1), make(1, owner=ann)
    for conversation in (mine, hers):  # the same id in both: scripts count from 1
        question = Message.objects.filter(conversation=conversation, role="user").earliest("pk")
        Message.objects.filter(pk=question.pk).update(client_id="1")
        Turn.objects.filter(message__parent=question).update(client_id="1")
    ToolRule.objects.create(conversation=mine, tool="write_file", allow=True)
    services.reassign(local_owner(), mine.pk, to=ann)
    assert Message.objects.get(client_id="1").conversation == hers
    assert Turn.objects.get(client_id="1").conversation == hers
    assert not ToolRule.objects.exists()


@pytest.mark.parametrize("status", Turn.UNFINISHED)
def test_a_conversation_with_an_unfinished_answer_is_not_transferred(
    client: Client, ann: User, status: str
) -> None:
    (made,) = make(1)
    Turn.objects.filter(message=made.leaf_id).update(status=status)
    assert "Stop it first." in do(client, "reassign", made, to="ann")
    assert Conversation.objects.get().owner == local_owner()
