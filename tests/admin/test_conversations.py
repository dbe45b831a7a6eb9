"""Conversations in the admin: filtered, read as on the page, changed through the services."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat import services
from chat.access.owner import local_owner
from chat.models import (
    Conversation,
    Message,
    Notice,
    SearchEntry,
    ToolCall,
    ToolRule,
    Turn,
)
from tests.support.conversations import talk
from tests.support.histories import call_in, make

pytestmark = pytest.mark.django_db

LIST = "/admin/chat/conversation/"


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann")


def titles(client: Client, query: str) -> set[str]:
    found = client.get(LIST + query).context["cl"].result_list
    return {conversation.title for conversation in found}


def page(client: Client, conversation: Conversation, query: str = "") -> str:
    return client.get(f"{LIST}{conversation.pk}/change/{query}").content.decode()


def do(client: Client, action: str, *conversations: Conversation, **fields: str) -> str:
    chosen = [str(conversation.pk) for conversation in conversations]
    data = {"action": action, "_selected_action": chosen, **fields}
    return client.post(LIST, data, follow=True).content.decode()


def recorded(conversation: Conversation) -> list[str]:
    entries = LogEntry.objects.filter(object_id=str(conversation.pk)).order_by("pk")
    return [entry.get_change_message() for entry in entries]


# --- the list -----------------------------------------------------------------------------------


def test_a_row_shows_usage_and_state(client: Client, ann: User) -> None:
    make(1, owner=ann, age=timedelta(3))
    (row,) = client.get(LIST).context["cl"].result_list
    assert (row.facts.messages, row.facts.read, row.facts.written) == (4, 200, 40)
    assert (row.facts.state, row.facts.model) == ("completed", "demo")
    text = client.get(LIST).content.decode()
    assert "200 / 40" in text
    used = timezone.localtime(row.updated_at)
    assert f"{used.day} {used:%b %Y, %H:%M}" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=needle", {"by a word of a message"}),
        ("?q=title", {"by its title"}),
        ("?q=nowhere", set()),
        ("?pinned__exact=1", {"pinned"}),
        ("?archived__exact=1", {"archived"}),
        ("?tool=write_file", {"by a tool"}),
        ("?model=gpt", {"by a model"}),
        ("?state=failed", {"failed"}),
        ("?state=waiting", {"waiting"}),
        ("?state=interrupted", set()),
    ],
)
def test_they_are_found(client: Client, query: str, expected: set[str]) -> None:
    names = ("pinned", "archived", "by a tool", "by a model", "failed", "waiting", "by its title")
    made = {name: make(1)[0] for name in names}
    make_found(make(1, text="a needle in the hay")[0], "by a word of a message")
    for name, conversation in made.items():
        make_found(conversation, name)
    services.pin(local_owner(), made["pinned"].pk, pinned=True)
    services.archive(local_owner(), made["archived"].pk, archived=True)
    ToolCall.objects.filter(message__conversation=made["by a tool"]).update(name="write_file")
    Turn.objects.filter(conversation=made["by a model"]).update(model="gpt")
    for status in ("failed", "waiting"):
        Turn.objects.filter(message=made[status].leaf_id).update(status=status)
    assert titles(client, query) == expected


def make_found(conversation: Conversation, title: str) -> None:
    services.entitle(local_owner(), conversation.pk, title)


def test_they_are_found_by_owner_and_by_id(client: Client, ann: User) -> None:
    (mine,), (hers,) = make(1), make(1, owner=ann)
    Conversation.objects.filter(pk=hers.pk).update(title="hers")
    assert titles(client, f"?owner={ann.pk}") == {"hers"}
    assert titles(client, f"?q={hers.pk}") == {"hers"}
    assert titles(client, f"?q={hers.leaf_id}") == {"hers"}
    assert titles(client, f"?q={mine.owner_id}") == set()


# --- reading ------------------------------------------------------------------------------------


def test_a_transcript_is_rendered_as_on_the_page_and_safely(client: Client) -> None:
    conversation = talk(local_owner(), "<script>alert(1)</script>", "An **insect**.")
    text = page(client, conversation)
    assert "<strong>insect</strong>" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


def test_reasoning_usage_and_failures_are_shown(client: Client) -> None:
    conversation = talk(local_owner(), "Hi", "Half")
    Message.objects.filter(role="assistant").update(reasoning="It greets me.")
    Turn.objects.update(
        status="failed", error="The model went away.", input_tokens=1234, output_tokens=5,
        started_at=timezone.now(), ended_at=timezone.now(), cost="0.5",
    )  # fmt: skip
    text = page(client, conversation)
    for words in ("It greets me.", "The model went away.", "Tokens in: 1,234", "$0.5000"):
        assert words in text


def test_a_call_shows_both_arguments_and_the_decision(client: Client, ann: User) -> None:
    conversation = talk(local_owner(), "Write it", "Done")
    call = call_in(
        conversation,
        arguments='{"path": "a"}', edited_arguments='{"path": "b"}', status="finished",
        result="Wrote it.", decided_by=ann, decided_from="admin", decided_at=timezone.now(),
    )  # fmt: skip
    text = page(client, conversation)
    assert "Approved by ann in the admin, " in text
    for part in ("&quot;path&quot;: &quot;a&quot;", "&quot;path&quot;: &quot;b&quot;", "Wrote it."):
        assert part in text
    ToolCall.objects.filter(pk=call.pk).update(
        status="denied", decided_from="expiry", decided_by=None
    )
    assert "Denied because nobody answered in time, " in page(client, conversation)


def test_every_branch_can_be_read(client: Client) -> None:
    conversation = talk(local_owner(), "What?", "First answer")
    first = conversation.leaf
    assert first is not None
    second = Message.objects.create(
        conversation=conversation, owner=conversation.owner, parent=first.parent,
        role="assistant", content="Second answer",
    )  # fmt: skip
    Turn.objects.create(message=second, conversation=conversation, status="completed", model="m")
    text = page(client, conversation)
    assert "First answer" in text
    assert "Second answer" not in text
    assert f"?at={second.pk}" in text
    assert "Second answer" in page(client, conversation, f"?at={second.pk}")
    conversation.refresh_from_db()
    assert conversation.leaf_id == first.pk  # viewing does not switch the branch


def test_a_long_one_is_read_in_stretches(client: Client) -> None:
    conversation = talk(local_owner(), *(f"message {n}." for n in range(60)))
    text = page(client, conversation)
    assert "message 59." in text
    assert "message 9." not in text
    first = client.get(f"{LIST}{conversation.pk}/change/").context["reading"].entries[0]
    assert "message 9." in page(client, conversation, f"?before={first.shown.view.id}")


@pytest.mark.parametrize("query", ["?at=nonsense", "?before=00000000-0000-0000-0000-000000000000"])
def test_missing_messages_are_404(client: Client, query: str) -> None:
    conversation = talk(local_owner(), "Hi", "Ho")
    assert client.get(f"{LIST}{conversation.pk}/change/{query}").status_code == 404


@pytest.mark.promise(8)
def test_reading_somebody_elses_conversation_is_recorded(client: Client, ann: User) -> None:
    mine, hers = talk(local_owner(), "Hi", "Ho"), talk(ann, "Hi", "Ho")
    for conversation in (mine, hers):
        page(client, conversation)
    assert recorded(hers) == ["Read."]
    assert recorded(mine) == []
    client.get(f"/admin/chat/message/{hers.leaf_id}/change/")
    entry = LogEntry.objects.get(object_id=str(hers.leaf_id))
    assert (entry.user, entry.get_change_message()) == (local_owner(), "Read.")


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
