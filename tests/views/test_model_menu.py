"""The model menu over HTTP: with HTMX and as a plain form."""

from __future__ import annotations

import json
import re

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from chat.access.owner import local_owner
from chat.llm.catalogue.models import DEMO, Catalogue, Model
from chat.models import Conversation
from chat.slash.base import Caller, commands
from chat.views.models import MODEL_COOKIE
from tests.views.samples import HTMX, here

pytestmark = pytest.mark.django_db


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
