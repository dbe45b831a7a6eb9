"""Actions on a whole chat over HTTP, with links and plain forms."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.conversations import talk
from tests.views.samples import HTMX, aged, get

pytestmark = pytest.mark.django_db


def test_a_chat_is_renamed_by_a_form(client: Client, owner: User) -> None:
    conversation = aged(owner, "Old", 1)
    assert 'value="Old"' in get(client, f"/c/{conversation.pk}/title/")
    answer = client.post(f"/c/{conversation.pk}/title/", {"title": "  New\n title "})
    assert answer["Location"] == f"/c/{conversation.pk}/"
    conversation.refresh_from_db()
    assert conversation.title == "New title"


@pytest.mark.parametrize("title", ["", " ", "x" * 201])
def test_an_invalid_title_is_refused(client: Client, owner: User, title: str) -> None:
    conversation = aged(owner, "Old", 1)
    for headers in ({}, HTMX, {**HTMX, "HX-Target": f"chat-{conversation.pk}"}):
        answer = client.post(f"/c/{conversation.pk}/title/", {"title": title}, headers=headers)
        assert "A title has 1 to 200 characters." in answer.content.decode()
    conversation.refresh_from_db()
    assert conversation.title == "Old"


def test_a_row_is_renamed_in_its_place(client: Client, owner: User) -> None:
    conversation = aged(owner, "Old", 1)
    here = {**HTMX, "HX-Target": f"chat-{conversation.pk}"}
    assert get(client, f"/c/{conversation.pk}/title/", **here).strip().startswith("<li")
    row = client.post(f"/c/{conversation.pk}/title/", {"title": "New"}, headers=here)
    assert row.content.decode().startswith(f'<li class="chat-row" id="chat-{conversation.pk}">')
    assert "New" in row.content.decode()


@pytest.mark.parametrize("mark", ["pinned", "archived"])
def test_a_chat_is_pinned_and_archived_by_a_form(client: Client, owner: User, mark: str) -> None:
    conversation = aged(owner, "One", 1)
    for value in ("yes", "no"):
        assert f'name="{mark}" value="{value}"' in get(client, f"/c/{conversation.pk}/menu/")
        answer = client.post(f"/c/{conversation.pk}/mark/", {mark: value})
        assert answer["Location"] == f"/c/{conversation.pk}/"
        conversation.refresh_from_db()
        assert getattr(conversation, mark) is (value == "yes")


def test_the_delete_dialog_offers_to_archive_instead(client: Client, owner: User) -> None:
    conversation = aged(owner, "One", 1)
    assert "Archive instead" in get(client, f"/c/{conversation.pk}/delete/")
    answer = client.post(f"/c/{conversation.pk}/delete/", {"archive": "yes"})
    assert answer["Location"] == f"/c/{conversation.pk}/"
    conversation.refresh_from_db()
    assert conversation.archived
    assert "rchive" not in get(client, f"/c/{conversation.pk}/delete/?part")  # it already is


@pytest.mark.promise(8)
def test_somebody_elses_chat_cannot_be_changed(client: Client, owner: User) -> None:
    theirs = talk(User.objects.create(username="stranger"), "A secret", title="Secrets")
    for pk in (theirs.pk, uuid.uuid4()):
        for path in ("menu/", "title/", "row/", "delete/"):
            assert client.get(f"/c/{pk}/{path}").status_code == 404
        assert client.post(f"/c/{pk}/title/", {"title": "Mine"}).status_code == 404
        assert client.post(f"/c/{pk}/mark/", {"archived": "yes"}).status_code == 404
    for path in ("/chats/", "/chats/?archived=1", "/chats/?q=secret", "/sidebar/"):
        assert "ecret" not in get(client, path).replace('value="secret"', "").replace(
            "“<bdi>secret", ""
        )
    theirs.refresh_from_db()
    assert (theirs.title, theirs.archived) == ("Secrets", False)
