"""Settings, usage and suggestions over HTTP: with HTMX and as plain pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat import services
from chat.access.owner import local_owner
from chat.llm.catalogue.models import DEMO
from chat.models import Conversation, Message, ModelPreference, Preference, Suggestion, Turn
from tests.support.conversations import talk
from tests.views.samples import HTMX, here

pytestmark = pytest.mark.django_db

FIELDS = {"instructions": "", "temperature": "", "max_output_tokens": ""}


# --- the settings -------------------------------------------------------------------------------


def test_model_settings_are_saved(client: Client, conversation: Conversation) -> None:
    url = f"/c/{conversation.pk}/settings/"
    asked = {"instructions": "One.\r\nTwo.", "temperature": "0.5", "max_output_tokens": "100"}
    answer = client.post(url, asked, headers=HTMX).content.decode()
    assert "Saved." in answer
    assert "<html" not in answer
    conversation.refresh_from_db()
    assert conversation.instructions == "One.\nTwo."
    assert (conversation.temperature, conversation.max_output_tokens) == (0.5, 100)
    page = client.get(url).content.decode()
    assert "One.\nTwo." in page
    assert 'value="0.5"' in page

    client.post(url, FIELDS)  # and back
    conversation.refresh_from_db()
    assert (conversation.instructions, conversation.temperature) == ("", None)
    assert conversation.max_output_tokens is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("temperature", "warm", "from 0 to 2"),
        ("temperature", "2.1", "from 0 to 2"),
        ("temperature", "nan", "from 0 to 2"),
        ("max_output_tokens", "0", "whole number from 1"),
        ("max_output_tokens", "1.5", "whole number from 1"),
        ("instructions", "x" * 65_537, "at most 65,536"),
    ],
)
def test_errors_are_shown_at_their_field(
    client: Client, conversation: Conversation, field: str, value: str, words: str
) -> None:
    url = f"/c/{conversation.pk}/settings/"
    for headers in ({}, HTMX):
        page = client.post(url, {**FIELDS, field: value}, headers=headers).content.decode()
        assert words in page.partition(f'id="id_{field}_error"')[2]
        assert "Saved." not in page
    conversation.refresh_from_db()
    assert getattr(conversation, field) in ("", None)


def test_the_system_prompt_belongs_to_the_owner(client: Client) -> None:
    assert "You are Talos" in client.get("/settings/").content.decode()  # the placeholder
    assert "Saved." in client.post("/settings/", {"system_prompt": "Be brief."}).content.decode()
    assert Preference.objects.get().system_prompt == "Be brief."
    page = client.get("/settings/").content.decode()
    assert "Be brief." in page
    assert "Reset to default" in page
    back = client.post("/settings/", {"system_prompt": "Be", "back": "1"}).content.decode()
    assert Preference.objects.get().system_prompt == ""
    assert "Reset to default" not in back
    refused = client.post("/settings/", {"system_prompt": "x" * 65_537}, headers=HTMX)
    assert "at most 65,536" in refused.content.decode()


def test_the_dialog_is_about_the_current_chat(client: Client, conversation: Conversation) -> None:
    assert "This chat" in client.get("/settings/", headers=here(conversation)).content.decode()
    assert "This chat" not in client.get("/settings/", headers=HTMX).content.decode()


def test_tools_are_switched_for_the_chat_and_the_named_model(
    client: Client, conversation: Conversation
) -> None:
    url = f"/c/{conversation.pk}/tools/"
    said = client.post(url, {"here": "yes", "model": "<b>"}, headers=HTMX).content.decode()
    assert said.startswith("Saved.")
    assert not ModelPreference.objects.get(model="<b>").offers_tools
    conversation.refresh_from_db()
    assert conversation.offers_tools
    answer = client.post(url, {"model": "<b>", "to_model": "yes"})
    assert answer["Location"] == f"/c/{conversation.pk}/settings/"
    assert ModelPreference.objects.get(model="<b>").offers_tools
    conversation.refresh_from_db()
    assert not conversation.offers_tools


def test_an_invalid_model_is_refused_and_changes_nothing(
    client: Client, conversation: Conversation
) -> None:
    answer = client.post(f"/c/{conversation.pk}/tools/", {"model": "x" * 201})
    assert (answer.status_code, "1 to 200" in answer.content.decode()) == (400, True)
    assert not ModelPreference.objects.exists()
    conversation.refresh_from_db()
    assert conversation.offers_tools


def test_the_switches_name_the_model_that_turns_store(
    client: Client, conversation: Conversation
) -> None:
    Conversation.objects.update(model="ant<1>")
    services.prefer_for_model(local_owner(), "ant<1>", offers_tools=False)
    services.prefer_for_model(local_owner(), "ant", offers_tools=True)
    page = client.get(f"/c/{conversation.pk}/settings/").content.decode()
    assert 'name="model" value="ant&lt;1&gt;"' in page
    assert 'name="here" value="yes" checked' in page
    assert 'name="to_model" value="yes">' in page


@pytest.mark.promise(8)
def test_somebody_elses_settings_do_not_exist(client: Client) -> None:
    theirs = talk(User.objects.create(username="stranger"), "A secret", "Kept")
    for path in ("model", "settings"):
        url = f"/c/{theirs.pk}/{path}/"
        assert client.get(url).status_code == 404
        assert client.post(url, {**FIELDS, "model": DEMO}).status_code == 404
    assert client.post(f"/c/{theirs.pk}/tools/", {"model": DEMO}).status_code == 404
    assert not ModelPreference.objects.exists()
    assert "This chat" not in client.get("/settings/", headers=here(theirs)).content.decode()


def test_a_settings_form_without_its_token_is_refused(conversation: Conversation) -> None:
    strict = Client(enforce_csrf_checks=True)
    for url in (f"/c/{conversation.pk}/model/", f"/c/{conversation.pk}/settings/", "/settings/"):
        assert strict.post(url, {"model": DEMO, **FIELDS}).status_code == 403


# --- what is shown beside an answer -------------------------------------------------------------


def test_an_answer_shows_its_usage(client: Client, conversation: Conversation) -> None:
    turn = Turn.objects.get()
    Turn.objects.update(
        started_at="2026-01-01T08:00:00Z",
        ended_at="2026-01-01T08:01:05Z",
        input_tokens=1234,
        output_tokens=56,
        cached_tokens=1000,
        cost="0.01234",
    )
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    for words in (turn.model, "1,234 (1,000 cached)", "56", "$0.0123", "1 min 5 s"):
        assert f"<dd>{words}</dd>" in page
    totals = client.get(f"/c/{conversation.pk}/settings/").content.decode()
    assert "<dd>1,234 (1,000 cached)</dd>" in totals
    Turn.objects.update(cost="0.00001", input_tokens=None)
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert "less than $0.0001" in page
    assert "Tokens" not in page
    Turn.objects.update(status=Turn.Status.RUNNING)
    assert "Details of this answer" not in client.get(f"/c/{conversation.pk}/").content.decode()


def test_reasoning_is_folded_text_above_the_answer(
    client: Client, conversation: Conversation
) -> None:
    Message.objects.filter(role="assistant").update(reasoning="**Hm** <b>\n\nAh.")
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert "**Hm** &lt;b&gt;\n\nAh.</div>" in page
    assert '<details class="reasoning">' in page
    assert page.index("Ah.") < page.index('<div class="prose">')


def test_an_empty_chat_offers_suggestions(client: Client) -> None:
    Suggestion.objects.all().delete()
    Suggestion.objects.create(text="Second & last", position=2)
    Suggestion.objects.create(text="First", position=1)
    Suggestion.objects.create(text="Hidden", is_shown=False)
    page = client.get("/").content.decode()
    assert page.index("First") < page.index("Second &amp; last")
    assert "Hidden" not in page
