"""Import on the page: a plain form and a report, for the owner alone."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from contextlib import closing

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from chat import exchange
from chat.access import local_owner
from chat.models import Audit, Conversation, ToolCall
from tests.hostile_texts import TEXTS
from tests.test_views import somebody_elses, talk
from tests.transfer.samples import C, line, sample

__all__ = ["somebody_elses"]  # a fixture

pytestmark = pytest.mark.django_db


def upload(client: Client, data: bytes, name: str = "history.jsonl") -> tuple[int, str]:
    response = client.post("/import/", {"file": SimpleUploadedFile(name, data)})
    return response.status_code, response.content.decode()


def test_a_file_is_imported_and_reported(client: Client) -> None:
    status, page = upload(client, line(sample()))
    assert (status, "1 imported" in page) == (200, True)
    assert Conversation.objects.get().owner == local_owner()
    assert "About" not in page
    assert "Ants" in page  # in the sidebar
    assert "1 here already" in upload(client, line(sample()))[1]
    audit = Audit.objects.latest("pk")
    assert (audit.action, audit.source, audit.by) == ("import", "page", local_owner())


def test_a_large_file_waits_on_the_disk(client: Client) -> None:
    large = line(sample("messages.1.content", "x" * 3_000_000))
    assert "1 imported" in upload(client, large)[1]


def test_what_was_skipped_is_named(client: Client) -> None:
    status, page = upload(client, line(sample()) + line(sample("seq", -1)))
    assert status == 200
    assert "1 imported, 1 skipped" in page
    assert '<li dir="auto" class="fault">history.jsonl, line 2: “Ants”: seq: ' in page


def test_a_flood_of_faults_is_a_short_list(client: Client) -> None:
    _, page = upload(client, b"{}\n" * 5000)
    assert "and 4900 more" in page
    assert len(page) < 60_000


def test_what_is_no_file_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a file first." in client.post("/import/").content.decode()
    assert "it is empty" in upload(client, b"")[1]
    monkeypatch.setattr(exchange, "MAX_UPLOAD", 10)
    assert "manage.py import_history" in upload(client, line(sample()))[1]
    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_in_trouble_is_told_beside_what_was_imported(client: Client) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only: a lock that the test can hold")
    local_owner()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    try:
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("BEGIN EXCLUSIVE")
            status, page = upload(client, line(sample()))
    finally:
        connection.close()  # the next one waits as configured
    assert (status, "0 imported" in page) == (200, True)
    assert "another program holds it. What was imported by then stays." in page
    assert "1 imported" in upload(client, line(sample()))[1]


def test_hostile_names_and_titles_are_shown_as_text(client: Client) -> None:
    texts = [text.replace("\0", "")[:150] for text in TEXTS]
    lines = b"".join(json.dumps({"title": text}).encode() + b"\n" for text in texts)
    _, page = upload(client, lines, name="<img src=x onerror=owned()>.jsonl")
    assert "<img" not in page
    assert "<script>owned" not in page


def test_it_needs_the_forms_token(somebody_elses: Conversation) -> None:
    client = Client(enforce_csrf_checks=True)
    assert upload(client, line(sample()))[0] == 403
    page = client.get("/import/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert "csrfmiddlewaretoken" in page


def test_a_copy_of_somebody_elses_is_ones_own(client: Client) -> None:
    from django.contrib.auth.models import User

    talk(User.objects.create(username="stranger"), "A secret")
    theirs = Conversation.objects.get()
    mine = sample("id", str(theirs.pk))
    mine["messages"][1]["calls"][0]["decided_by"] = "stranger"
    _, page = upload(client, line(mine))
    assert "its id is taken here" in page
    theirs.refresh_from_db()
    assert theirs.owner.get_username() == "stranger"
    assert Conversation.objects.of(local_owner()).count() == 1
    assert ToolCall.objects.get().decided_by is None


def test_the_way_to_both_is_in_the_settings(client: Client) -> None:
    page = client.get("/settings/").content.decode()
    assert 'href="/export/"' in page
    assert 'href="/import/"' in page
    assert C not in page


def test_a_zip_file_is_taken_as_it_was_downloaded(client: Client) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("conversations.json", json.dumps([sample()]))
        archive.writestr("harbour.png", "x" * 3_000_000)  # too large to wait in memory
    _, page = upload(client, made.getvalue(), name="export.zip")
    assert "1 imported. Left out: 1 image" in page


def test_an_earlier_import_is_replaced_where_that_is_chosen(client: Client) -> None:
    upload(client, line(sample("messages.1.content", "A lossy answer, of old.")))
    assert 'name="renew"' in client.get("/import/").content.decode()
    assert "1 message differs" in upload(client, line(sample()))[1]
    file = SimpleUploadedFile("a.jsonl", line(sample()))
    page = client.post("/import/", {"file": file, "renew": "yes"}).content.decode()
    assert "0 imported, 1 replaced" in page
