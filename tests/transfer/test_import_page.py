"""Import on the page: a plain form and a report, for the owner alone."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from chat.access.owner import local_owner
from chat.models import Audit, Conversation, ToolCall
from chat.services.imports import jobs
from chat.services.imports.run import Import
from chat.views import uploads
from tests.support.conversations import talk
from tests.support.hostile_texts import TEXTS
from tests.transfer.samples import C, line, sample
from tests.transfer.uploads import folder, large, upload

# Committed: a page of an import reads in another thread.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_files")]


def test_a_file_is_imported_and_reported(client: Client) -> None:
    status, page = upload(client, line(sample()))
    assert (status, "1 imported" in page) == (200, True)
    assert Conversation.objects.get().owner == local_owner()
    assert "About" not in page
    assert "Ants" in page  # in the sidebar
    assert "1 here already" in upload(client, line(sample()))[1]
    audit = Audit.objects.latest("pk")
    assert (audit.action, audit.source, audit.by) == ("import", "page", local_owner())


def test_skipped_conversations_are_listed(client: Client) -> None:
    status, page = upload(client, line(sample()) + line(sample("seq", -1)))
    assert status == 200
    assert "1 imported, 1 skipped" in page
    assert '<li dir="auto" class="fault">history.jsonl, line 2: “Ants”: seq: ' in page


def test_a_flood_of_faults_is_a_short_list(client: Client) -> None:
    _, page = upload(client, b"{}\n" * 5000)
    assert "and 4900 more" in page
    assert len(page) < 60_000


def test_a_form_without_a_file_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a file first." in client.post("/import/").content.decode()
    assert "it is empty" in upload(client, b"")[1]
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 10)
    assert "manage.py import_history" in upload(client, line(sample()))[1]
    assert not Conversation.objects.exists()


def test_a_database_failure_is_explained_and_nothing_is_kept(client: Client) -> None:
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
    assert (status, "another program holds it." in page) == (503, True)
    assert not list(folder().iterdir())
    assert "1 imported" in upload(client, line(sample()))[1]


def test_hostile_names_and_titles_are_shown_as_text(client: Client) -> None:
    texts = [text.replace("\0", "")[:150] for text in TEXTS]
    lines = b"".join(json.dumps({"title": text}).encode() + b"\n" for text in texts)
    _, page = upload(client, lines, name="<img src=x onerror=owned()>.jsonl")
    assert "<img" not in page
    assert "<script>owned" not in page


def test_the_form_needs_its_token(somebody_elses: Conversation) -> None:
    client = Client(enforce_csrf_checks=True)
    assert upload(client, line(sample()))[0] == 403
    page = client.get("/import/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert "csrfmiddlewaretoken" in page


def test_a_copy_of_another_users_chat_is_the_owners(client: Client) -> None:
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


def test_the_settings_link_to_import_and_export(client: Client) -> None:
    page = client.get("/settings/").content.decode()
    assert 'href="/export/"' in page
    assert 'href="/import/"' in page
    assert C not in page


def test_a_zip_file_is_accepted_as_downloaded(client: Client) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("conversations.json", json.dumps([sample()]))
        archive.writestr("harbour.png", "x" * 3_000_000)  # too large to wait in memory
    file = SimpleUploadedFile("export.zip", made.getvalue())
    address = client.post("/import/", {"file": file}).headers["Location"]
    jobs.run(*jobs.waiting())
    assert "1 imported. Left out: 1 image" in client.get(address).content.decode()


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", data)
    return made.getvalue()


@pytest.mark.parametrize("is_large", [False, True])
def test_a_zip_file_counts_with_its_unpacked_size(client: Client, is_large: bool) -> None:
    """A request waits only for a small import, however it is packed."""
    file = SimpleUploadedFile("a.zip", zipped(large() if is_large else line(sample())))
    assert (file.size or 0) < uploads.AT_ONCE
    client.post("/import/", {"file": file})
    assert len(jobs.waiting()) == is_large


@pytest.mark.parametrize("half", [r"\ud83d", r"\u0000"])
def test_a_title_that_no_database_stores_is_reported(client: Client, half: str) -> None:
    _, page = upload(client, b'[{"name": "half %s", "chat_messages": []}]' % half.encode())
    assert "“half \ufffd”: a Claude export: not supported yet" in page


def test_the_name_of_a_file_may_hold_anything() -> None:
    run = Import(local_owner(), lambda name: None, source=Audit.Source.PAGE)
    list(run.file(BytesIO(line(sample())), "half \ud83d.jsonl"))
    run.finish("half \ud83d.jsonl")
    assert "half \ufffd.jsonl" in Audit.objects.latest("pk").summary
    report = run.unreadable("half \ud83d.jsonl", "\0")
    assert str(report) == "half \ufffd.jsonl: \ufffd."


def test_an_earlier_import_is_replaced_if_that_is_chosen(client: Client) -> None:
    upload(client, line(sample("messages.1.content", "A lossy answer, of old.")))
    assert 'name="renew"' in client.get("/import/").content.decode()
    assert "1 message differs" in upload(client, line(sample()))[1]
    file = SimpleUploadedFile("a.jsonl", line(sample()))
    answer = client.post("/import/", {"file": file, "renew": "yes"}, follow=True)
    page = answer.content.decode()
    assert "0 imported, 1 replaced" in page
