"""Staff can view everything, and change only what the page may change."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client

from chat import search
from chat.access.owner import local_owner
from chat.models import (
    Audit,
    Conversation,
    ImportJob,
    KeptRender,
    Message,
    ModelPreference,
    Notice,
    OpaquePart,
    Piece,
    Preference,
    ProviderConnection,
    SearchEntry,
    Suggestion,
    ToolCall,
    ToolRule,
    Turn,
)

pytestmark = pytest.mark.django_db

MODELS = list(apps.get_app_config("chat").get_models())
KEPT = {Conversation, Preference, Suggestion, ToolRule}
"""Models that staff may change."""


@pytest.fixture
def conversation() -> Conversation:
    """A conversation, with one row of every model."""
    owner = local_owner()
    conversation = Conversation.objects.create(owner=owner, title="About ants")
    question = Message.objects.create(
        conversation=conversation, owner=owner, role="user", content="<script>alert(1)</script>"
    )
    answer = Message.objects.create(
        conversation=conversation, owner=owner, parent=question, role="assistant"
    )
    turn = Turn.objects.create(message=answer, conversation=conversation, model="demo")
    Piece.objects.create(turn=turn, seq=1, text="Well")
    KeptRender.objects.create(message=answer, begin=0, key="k", html="<p>Well</p>")
    ToolCall.objects.create(
        message=answer,
        call_id="1",
        round=0,
        offset=0,
        name="calculate",
        arguments="{}",
        status="pending",
    )
    OpaquePart.objects.create(message=answer, round=0, kind="signature", source="h/m", data="c2ln")
    ToolRule.objects.create(conversation=conversation, tool="write_file", allow=True)
    Notice.objects.create(owner=owner, frame="{}")
    Preference.objects.create(owner=owner, system_prompt="Be brief.")
    ModelPreference.objects.create(owner=owner, model="demo", offers_tools=False)
    ProviderConnection.objects.create(provider="groq", sealed_key="sealed and secret")
    Suggestion.objects.get_or_create(text="What are ants?")
    ImportJob.objects.create(owner=owner, name="chats.jsonl", size=1, status="done")
    Audit.objects.create(action="prune", source="command", summary="Nothing was old enough.")
    conversation.leaf = answer
    conversation.save()
    search.index_messages([question])
    search.index_title(conversation, conversation.title)
    return conversation


def url(model: type[Model], *rest: object) -> str:
    return "/".join(["/admin/chat", model._meta.model_name or "", *map(str, rest), ""])


def test_every_model_is_registered() -> None:
    assert [model for model in MODELS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", MODELS)
def test_lists_and_rows_can_be_viewed(
    client: Client, conversation: Conversation, model: type[Model]
) -> None:
    assert client.get(url(model)).status_code == 200
    assert client.get(url(model) + "?q=ants").status_code == 200
    row = model._default_manager.first() if model is not Message else conversation.leaf
    assert row is not None
    page = client.get(url(model, row.pk, "change"))
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


@pytest.mark.parametrize(
    "model",
    [Message, Turn, Piece, KeptRender, ToolCall, OpaquePart, ToolRule, SearchEntry],
)
def test_rows_of_hidden_conversations_are_not_listed(
    client: Client, conversation: Conversation, model: type[Model]
) -> None:
    assert client.get(url(model)).context["cl"].result_count
    Conversation.hidden_too.update(hidden=Conversation.Hidden.LEAVING)
    assert not client.get(url(model)).context["cl"].result_count


@pytest.mark.parametrize("model", [model for model in MODELS if model not in KEPT])
def test_read_only_rows_cannot_be_changed(
    client: Client, conversation: Conversation, model: type[Model]
) -> None:
    row = model._default_manager.first()
    assert row is not None
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, row.pk, "change"), {"content": "other"}).status_code == 403
    assert client.post(url(model, row.pk, "delete"), {"post": "yes"}).status_code == 403


def test_a_connection_shows_whether_it_has_a_key_but_never_the_key(
    client: Client, conversation: Conversation
) -> None:
    connection = ProviderConnection.objects.get()
    for path in (url(ProviderConnection), url(ProviderConnection, connection.pk, "change")):
        page = client.get(path).content.decode()
        assert "groq" in page
        assert "sealed and secret" not in page
        assert 'alt="True"' in page
        ProviderConnection.objects.update(sealed_key="")
        assert 'alt="False"' in client.get(path).content.decode()
        ProviderConnection.objects.update(sealed_key="sealed and secret")


def test_the_beginning_of_an_opaque_part_is_shown(
    client: Client, conversation: Conversation
) -> None:
    OpaquePart.objects.update(data="<script>alert(1)</script>" + "x" * 500_000 + "the end")
    part = OpaquePart.objects.get()
    page = client.get(url(OpaquePart, part.pk, "change")).content.decode()
    assert "500,032" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "the end" not in page
    assert len(page) < 50_000
    for words in (part.message_id, conversation.pk, part.pk):
        found = client.get(f"{url(OpaquePart)}?q={words}")
        assert [row.pk for row in found.context["cl"].result_list] == [part.pk]
    assert "data" in found.context["cl"].result_list[0].get_deferred_fields()


def test_the_error_details_of_a_model_server_are_shown(
    client: Client, conversation: Conversation
) -> None:
    Turn.objects.update(
        status="failed", error="The model failed.", error_details="402: <b>no credit</b>",
        note="Answered without tools.", context_tokens=1234, context_window=8192,
    )  # fmt: skip
    words = ("402: &lt;b&gt;no credit&lt;/b&gt;", "Answered without tools.")
    for path in (
        url(Conversation, conversation.pk, "change"),
        url(Message, conversation.leaf_id, "change"),
        url(Turn, Turn.objects.get().pk, "change"),
    ):
        page = client.get(path).content.decode()
        assert all(word in page for word in words), path
    for path in (
        url(Message, conversation.leaf_id, "change"),
        url(Conversation, conversation.pk, "change"),
    ):
        assert client.get(path).content.decode().count("1,234 of 8,192 tokens") == 1


def test_a_changed_title_counts_as_a_persons(client: Client, conversation: Conversation) -> None:
    client.post(url(Conversation, conversation.pk, "change"), {"title": "Wasps", "seq": "99"})
    conversation.refresh_from_db()
    assert (conversation.title, conversation.titled_by, conversation.seq) == ("Wasps", "person", 0)
    assert Notice.objects.filter(frame__contains="Wasps").exists()  # open pages are told
    assert LogEntry.objects.filter(object_id=str(conversation.pk)).exists()


def change(client: Client, conversation: Conversation, **fields: object) -> str:
    """Submit the form with some fields changed; returns the page that comes back, if any."""
    page = url(Conversation, conversation.pk, "change")
    initial = client.get(page).context["adminform"].form.initial
    known = ("title", "model", "instructions", "temperature", "max_output_tokens")
    data = {name: "" if initial[name] is None else initial[name] for name in known}
    answer = client.post(page, {**data, **fields})
    conversation.refresh_from_db()
    return answer.content.decode()


def test_model_settings_are_changed(client: Client, conversation: Conversation) -> None:
    asked = {"model": "demo", "instructions": "Rhyme.", "temperature": "0.5"}
    assert change(client, conversation, **asked, max_output_tokens="100") == ""
    assert (conversation.model, conversation.instructions) == ("demo", "Rhyme.")
    assert (conversation.temperature, conversation.max_output_tokens) == (0.5, 100)
    assert conversation.titled_by == "opening"  # its title was not changed


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": " "}, "Enter a title."),
        ({"model": "nobody"}, "There is no model"),
        ({"temperature": "warm"}, "a number from 0 to 2"),
        ({"max_output_tokens": "0"}, "a whole number from 1"),
    ],
)
def test_invalid_settings_are_explained(
    client: Client, conversation: Conversation, fields: dict[str, str], words: str
) -> None:
    assert words in change(client, conversation, **fields)
    assert conversation.title == "About ants"


def test_suggestions_are_edited_in_their_list(client: Client) -> None:
    Suggestion.objects.all().delete()
    Suggestion.objects.create(text="Hello")
    row = {"form-0-id": str(Suggestion.objects.get().pk), "form-0-text": "Hi", "form-0-position": 3}
    total = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save"}
    client.post(url(Suggestion), {**row, **total})
    assert Suggestion.objects.values_list("text", "position", "is_shown").get() == ("Hi", 3, False)
    client.post(url(Suggestion, "add"), {"text": "Another", "position": 0, "is_shown": "on"})
    assert client.get("/api/chat/suggestions").json() == ["Another"]


def test_a_system_prompt_is_changed(client: Client, conversation: Conversation) -> None:
    preference = Preference.objects.get()
    client.post(url(Preference, preference.pk, "change"), {"system_prompt": "Be long."})
    preference.refresh_from_db()
    assert preference.system_prompt == "Be long."
    assert client.get(url(Preference, "add")).status_code == 403


def test_deleting_uses_the_service(client: Client, conversation: Conversation) -> None:
    page = client.get(url(Conversation, conversation.pk, "delete"))
    assert page.status_code == 200
    client.post(url(Conversation, conversation.pk, "delete"), {"post": "yes"})
    assert not Conversation.objects.exists()
    assert not Turn.objects.exists()
    assert not OpaquePart.objects.exists()
    assert Notice.objects.filter(gone=conversation.pk).exists()


def test_deleting_several(client: Client, conversation: Conversation) -> None:
    data = {"action": "delete_selected", "_selected_action": str(conversation.pk), "post": "yes"}
    client.post(url(Conversation), data)
    assert not Conversation.objects.exists()
    assert Notice.objects.filter(gone=conversation.pk).exists()
