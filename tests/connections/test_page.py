"""The page for connecting a provider: with HTMX and as a plain page."""

from __future__ import annotations

import logging
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from chat.llm.catalogue.sources import Sources
from chat.models import ProviderConnection
from tests.support.model_server import ModelServer
from tests.views.samples import HTMX

pytestmark = pytest.mark.usefixtures("owner")
URL = "/settings/models/"
KEY = "sk-entered-in-the-browser"


@pytest.fixture(autouse=True)
def _lists_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the listing: a server keeps its connections, but a test request's loop ends with it."""

    async def skip(*_: object) -> None:
        pass

    monkeypatch.setattr(Sources, "refresh", skip)
    monkeypatch.setattr(Sources, "wait_for_lists", skip)


def form_data(action: str, provider: str = "compatible", **fields: str) -> dict[str, str]:
    return {"action": action, "provider": provider, "key": KEY, **fields}


def test_the_first_visit_leads_to_the_form_until_a_provider_is_connected(
    client: Client, models: ModelServer
) -> None:
    assert f'hx-get="{URL}"' in client.get("/").content.decode()
    client.post(URL, form_data("save", address=models.base_url))
    assert "first-run" not in client.get("/").content.decode()


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_trial_lists_the_models_and_stores_nothing(
    client: Client, models: ModelServer, headers: dict[str, str]
) -> None:
    page = client.post(URL, form_data("test", address=models.base_url), headers=headers)
    assert "ant-1" in page.content.decode()
    assert KEY not in page.content.decode()
    assert not ProviderConnection.objects.exists()


def test_a_failed_trial_says_why_without_the_key(client: Client, models: ModelServer) -> None:
    models.key = "sk-another"
    page = client.post(
        URL, form_data("test", address=models.base_url), headers=HTMX
    ).content.decode()
    assert "refused the" in page
    assert KEY not in page


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"address": ""}, "Enter the address"),
        ({"address": "ftp://ant/v1"}, "This is not a valid address"),
        ({"address": "javascript:alert(1)"}, "This is not a valid address"),
        ({"address": "http://"}, "This is not a valid address"),
        ({"address": "http://[::1/v1"}, "This is not a valid address"),
        ({"address": "http://ant:99999/v1"}, "This is not a valid address"),
        ({"address": "http://me:xyzzy@ant/v1"}, "Leave the password out"),
        ({"address": "http://ant/v1?key=xyzzy"}, "Leave out ?"),
        ({"address": "http://ant/v1#xyzzy"}, "Leave out ?"),
        ({"address": "http://ant/v1?to=me@xyzzy"}, "Leave out ?"),
        ({"address": "http://me:xyzzy?plugh@ant/v1"}, "Leave out ?"),
        ({"address": "http://me:xyzzy@ant/" + "a" * 500}, "at most 500"),
        ({"address": "http://ant/" + "a" * 500}, "at most 500"),
        ({"address": "http://ant/v1", "key": "sk-with a space"}, "This is not a valid key"),
        ({"address": "http://ant/v1", "key": "sk-ключ"}, "This is not a valid key"),
        ({"address": "http://ant/v1", "key": "k" * 2001}, "at most 2000"),
        ({"provider": "groq", "key": ""}, "Enter your Groq API key"),
    ],
)
@pytest.mark.parametrize("action", ["save", "test"])
def test_invalid_input_is_explained_without_secrets(
    client: Client, fields: dict[str, str], complaint: str, action: str
) -> None:
    sent = form_data(action, **fields)
    page = client.post(URL, sent, headers=HTMX)
    text = page.content.decode()
    assert complaint in text
    assert not re.search("xyzzy|plugh", text)
    assert not sent["key"] or sent["key"] not in text
    assert page.headers["HX-Retarget"] == "#connections"
    assert not ProviderConnection.objects.exists()


def test_a_stored_key_is_never_shown(
    client: Client, models: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    saved = client.post(URL, form_data("save", address=models.base_url), headers=HTMX)
    shown = client.get(f"{URL}?provider=compatible")
    settings = client.get("/settings/")
    for page in (saved, shown, settings):
        assert "A key is stored" in page.content.decode()
        assert KEY not in page.content.decode()
    sealed = ProviderConnection.objects.get().sealed_key
    assert KEY not in caplog.text
    assert sealed not in shown.content.decode() + settings.content.decode() + caplog.text


def test_a_key_of_another_secret_is_asked_for_again(
    client: Client, models: ModelServer, settings: Settings
) -> None:
    client.post(URL, form_data("save", address=models.base_url))
    settings.SECRET_KEY = "another-secret-of-more-than-32-characters"
    for page in (URL, "/settings/", f"{URL}?provider=compatible"):
        assert "can no longer be decrypted" in client.get(page).content.decode()


def test_providers_from_the_environment_are_named_but_not_editable(
    client: Client, settings: Settings
) -> None:
    settings.PROVIDER_VARIABLES = {"GROQ_API_KEY": "sk-of-the-environment"}
    page = client.get(f"{URL}?provider=groq").content.decode()
    assert "Set by <code>GROQ_API_KEY</code>" in page
    assert "sk-of-the-environment" not in page
    assert 'type="password"' not in page
    assert "GROQ_API_KEY" in client.post(URL, form_data("save", "groq")).content.decode()
    assert not ProviderConnection.objects.exists()


def test_removing_one_forgets_it(client: Client, models: ModelServer) -> None:
    client.post(URL, form_data("save", address=models.base_url))
    page = client.post(URL, {"action": "remove", "provider": "compatible"}).content.decode()
    assert "was removed" in page
    assert not ProviderConnection.objects.exists()


def test_openai_and_a_compatible_server_replace_each_other(
    client: Client, models: ModelServer
) -> None:
    client.post(URL, form_data("save", address=models.base_url))
    form = client.get(f"{URL}?provider=openai").content.decode()
    assert "replaces OpenAI-compatible server" in form


def test_only_the_owner_may_connect(client: Client, owner: User) -> None:
    owner.is_staff = False
    owner.save()
    assert client.get(URL).status_code == 404
    assert client.post(URL, form_data("save", "groq")).status_code == 404
    assert "Connect a model" not in client.get("/").content.decode()


@pytest.mark.parametrize("provider", ["nobody", ""])
def test_an_unknown_provider(client: Client, provider: str) -> None:
    answer = client.get(URL, {"provider": provider})
    assert answer.status_code == (404 if provider else 200)
