"""Imports from the page that wait, stop, resume and are removed."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from chat.access.owner import local_owner
from chat.db import process
from chat.models import Conversation, ImportJob
from chat.services.imports import jobs
from tests.transfer.samples import C, line, long_one, sample
from tests.transfer.uploads import begin, folder

# Committed: a page of an import reads in another thread.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_files")]


def test_a_large_file_waits_on_the_disk_for_its_turn(client: Client) -> None:
    address = begin(client)
    page = client.get(address, headers={"Accept": "text/html"}).content.decode()
    assert "Queued" in page
    assert "<progress" in page
    assert 'hx-trigger="every 1s"' in page
    assert "large.jsonl" in client.get("/import/").content.decode()
    jobs.run(*jobs.waiting())
    page = client.get(address).content.decode()
    assert "1 imported" in page
    assert "every 1s" not in page
    assert "1 imported" in client.get("/import/").content.decode()
    assert not list(folder().iterdir())


def test_an_import_is_stopped_before_it_begins(client: Client) -> None:
    address = begin(client)
    page = client.post(f"{address}cancel/", follow=True).content.decode()
    assert "Stopped. Chats imported so far are kept." in page
    assert not jobs.waiting()
    assert not list(folder().iterdir())
    assert not Conversation.hidden_too.exists()


def test_a_stop_during_a_check_of_the_file_takes_effect_at_its_turn() -> None:
    job = jobs.submit(local_owner(), BytesIO(line(sample())), "a.jsonl", 1)
    with jobs._held(job.pk):
        jobs.cancel(job)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, Conversation.hidden_too.exists()) == ("cancelled", False)
    assert not list(folder().iterdir())


def test_an_import_whose_file_is_gone_is_stopped_at_once() -> None:
    job = jobs.submit(local_owner(), BytesIO(line(sample())), "a.jsonl", 1)
    jobs.place(job.pk).unlink()
    jobs.cancel(job)
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_a_file_that_may_be_on_another_server_gets_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "is_alone", lambda: False)
    job = jobs.submit(local_owner(), BytesIO(line(sample())), "a.jsonl", 1)
    jobs.place(job.pk).unlink()
    jobs.tidy()
    job.refresh_from_db()
    assert job.status == "queued"
    ImportJob.objects.update(created_at=timezone.now() - jobs.ELSEWHERE * 2)
    jobs.tidy()
    job.refresh_from_db()
    assert (job.status, "is gone from the server" in job.complaint) == ("failed", True)


def test_a_file_removed_during_cleanup_is_not_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: [folder / "gone"])
    jobs.tidy()


def test_an_import_is_stopped_in_the_middle(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SAVE_SECONDS", 0.0)
    lines = line(sample()) + line(long_one())
    job = jobs.submit(local_owner(), BytesIO(lines), "a.jsonl", len(lines))
    stored = Conversation.objects.filter(pk=C)

    def cancel_then() -> bool:
        if stored.exists():
            jobs.cancel(job)
        return False

    jobs.run(job.pk, is_stopped=cancel_then)
    page = client.get(f"/import/{job.pk}/").content.decode()
    assert "1 imported" in page
    assert "Stopped." in page
    assert [found.pk.hex for found in Conversation.objects.all()] == [UUID(C).hex]


def test_an_interrupted_import_resumes_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SAVE_SECONDS", 0.0)
    lines = line(sample()) + line(long_one())
    job = jobs.submit(local_owner(), BytesIO(lines), "a.jsonl", len(lines))
    stored = Conversation.objects.filter(pk=C)
    jobs.run(job.pk, is_stopped=stored.exists)
    job.refresh_from_db()
    assert (job.status, job.counts) == ("queued", {"imported": 1})
    assert jobs.waiting() == [job.pk]
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.summary, job.report) == ("done", "2 imported", [])


def test_an_import_that_is_interrupted_each_time_is_given_up(client: Client) -> None:
    address = begin(client)
    ImportJob.objects.update(attempts=jobs.ATTEMPTS)
    jobs.run(*jobs.waiting())
    assert "interrupted 5 times" in client.get(address).content.decode()


def test_old_imports_and_their_files_are_removed(client: Client) -> None:
    lost, kept = begin(client), begin(client)
    path = jobs.place(UUID(lost.split("/")[-2]))
    path.unlink()
    stray = path.with_name(UUID(int=7).hex)
    stray.touch()
    os.utime(stray, (0, 0))
    jobs.tidy()
    assert len(list(folder().iterdir())) == 1
    if connection.vendor == "sqlite":  # else it may be another server's
        assert "is gone from the server" in client.get(lost).content.decode()
    jobs.run(*jobs.waiting())
    ImportJob.objects.update(created_at=timezone.now() - jobs.KEPT * 2, status="done")
    jobs.tidy()
    assert client.get(kept).status_code == 404


def test_another_users_import_is_not_found(client: Client, somebody_elses: Conversation) -> None:
    job = jobs.submit(somebody_elses.owner, BytesIO(b"{}"), "a.jsonl", 2)
    assert client.get(f"/import/{job.pk}/").status_code == 404
    assert client.post(f"/import/{job.pk}/cancel/").status_code == 404
    assert "a.jsonl" not in client.get("/import/").content.decode()
    jobs.cancel(job)
