"""The model menu and the settings over HTTP: with HTMX and as plain pages."""

from __future__ import annotations

import json
import re

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client

from chat import services
from chat.access.owner import local_owner
from chat.llm.catalogue.models import DEMO, Catalogue, Model
from chat.models import Conversation, Message, ModelPreference, Preference, Suggestion, Turn
from chat.slash.base import Caller, commands
from chat.views.models import MODEL_COOKIE
from tests.support.conversations import talk
from tests.views.samples import HTMX

pytestmark = pytest.mark.django_db

FIELDS = {"instructions": "", "temperature": "", "max_output_tokens": ""}


@pytest.fixture
def conversation() -> Conversation:
    return talk(local_owner(), "Hi", "Ho")


def row(name: str, provider: str, reason: str | None = None) -> Model:
    return Model(name, name, provider, reason is None, reason, None)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A menu of several providers, one of them out of reach."""
    rows = [
        row("ant-1", "openai"),
        row("<b>", "weird", "Its server does not answer."),
        row("ant-2", "openai"),
        row(DEMO, "talos"),
    ]

    async def models(_: object) -> list[Model]:
        return rows

    async def default(_: object) -> str:
        return rows[0].id

    monkeypatch.setattr(Catalogue, "models", models)
    monkeypatch.setattr(Catalogue, "default", default)


def here(conversation: Conversation) -> dict[str, str]:
    return {**HTMX, "HX-Current-URL": f"http://testserver/c/{conversation.pk}/"}


# --- the model ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("many")
def test_the_menu_is_grouped_by_provider(client: Client, conversation: Conversation) -> None:
    menu = client.get("/model/", headers=here(conversation)).content.decode()
    marks = ["OpenAI or compatible", "ant-1", "ant-2", "Weird", "does not answer", "Built in"]
    places = [menu.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "<html" not in menu
    assert "<b>" not in menu
    assert menu.count("disabled") == 1
    assert menu.count('aria-selected="true"') == 1
    assert "filter" not in menu  # only long menus have one


@pytest.mark.usefixtures("many")
def test_the_menu_marks_the_choice_of_an_empty_chat(client: Client) -> None:
    menu = client.get("/model/?chosen=ant-2", headers=HTMX).content.decode()
    marked = menu.partition('aria-selected="true"')[0].rpartition("<button")[2]
    assert 'value="ant-2"' in marked


@pytest.mark.usefixtures("many")
def test_the_next_chat_starts_with_the_model_chosen_last(
    client: Client, conversation: Conversation
) -> None:
    assert "data-model" not in client.get("/").content.decode()
    answer = client.post("/model/", {"model": DEMO}, headers=HTMX)
    assert answer.content.decode() == DEMO
    assert json.loads(answer["HX-Trigger"])["model-kept"] == {"model": DEMO}
    page = client.get("/").content.decode()
    assert f'data-model="{DEMO}"' in page
    assert f'name">{DEMO}</bdi>' in page
    other = Client()
    other.post(f"/c/{conversation.pk}/model/", {"model": DEMO}, headers=here(conversation))
    assert f'data-model="{DEMO}"' in other.get("/").content.decode()


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("kept", ["nobody", "%3Cb%3E", "", "%ff", '"'])
def test_a_model_that_is_gone_is_not_remembered(client: Client, kept: str) -> None:
    client.cookies[MODEL_COOKIE] = kept
    page = client.get("/").content.decode()
    assert "data-model" not in page
    assert 'name">ant-1</bdi>' in page


def test_a_long_menu_can_be_filtered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def models(_: object) -> list[Model]:
        return [row(f"m{number}", "openai") for number in range(9)]

    monkeypatch.setattr(Catalogue, "models", models)
    assert 'id="filter"' in client.get("/model/", headers=HTMX).content.decode()


def test_a_huge_menu_shows_some_models_and_finds_any(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def models(_: object) -> list[Model]:
        return [row(f"m{number}-{'x' * 200}", "openai") for number in range(5000)]

    def menu(**asked: str) -> list[str]:
        answer = client.get("/model/", asked)
        assert len(answer.content) < 512 * 1024
        return re.findall(r'name="model" value="(m\d+)-', answer.content.decode())

    monkeypatch.setattr(Catalogue, "models", models)
    assert len(menu()) == 200
    assert menu(filter="XX m4321") == ["m4321"]
    current = f"m4999-{'x' * 200}"
    assert menu(chosen=current)[199:] == ["m199", "m4999"]
    assert "4799 more" in client.get("/model/", {"chosen": current}).content.decode()
    said = async_to_sync(commands["models"].answer)(Caller(local_owner(), None), "")
    assert len(said) < 64 * 1024
    assert "and 4,800 more" in said


def test_a_model_is_chosen(client: Client, conversation: Conversation) -> None:
    url = f"/c/{conversation.pk}/model/"
    answer = client.post(url, {"model": DEMO}, headers=here(conversation))
    assert (answer.content.decode(), "dialog-done" in answer["HX-Trigger"]) == (DEMO, True)
    conversation.refresh_from_db()
    assert conversation.model == DEMO
    assert f'name">{DEMO}</bdi>' in client.get(f"/c/{conversation.pk}/").content.decode()


@pytest.mark.parametrize(
    ("model", "words"),
    [("nobody", "There is no model"), ("x" * 201, "at most 200"), ("", "required")],
)
def test_an_unknown_model_is_refused(
    client: Client, conversation: Conversation, model: str, words: str
) -> None:
    url = f"/c/{conversation.pk}/model/"
    answer = client.post(url, {"model": model}, headers=here(conversation))
    assert words in answer.content.decode()
    assert answer["HX-Retarget"] == "#dialog"
    conversation.refresh_from_db()
    assert conversation.model == ""


def test_a_model_is_chosen_without_javascript(client: Client, conversation: Conversation) -> None:
    url = f"/c/{conversation.pk}/model/"
    assert "<html" in client.get(url).content.decode()
    answer = client.post(url, {"model": DEMO})
    assert (answer.status_code, answer["Location"]) == (302, f"/c/{conversation.pk}/")


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
