"""Conversations in the admin: filtered, and read as on the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, ToolCall, Turn
from tests.admin.pages import LIST, page, recorded
from tests.support.conversations import talk
from tests.support.histories import call_in, make

pytestmark = pytest.mark.django_db


def titles(client: Client, query: str) -> set[str]:
    found = client.get(LIST + query).context["cl"].result_list
    return {conversation.title for conversation in found}


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
