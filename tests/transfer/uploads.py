"""Files uploaded to the import page."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chat.services.imports import jobs
from tests.transfer.samples import line, sample


def upload(client: Client, data: bytes, name: str = "history.jsonl") -> tuple[int, str]:
    response = client.post("/import/", {"file": SimpleUploadedFile(name, data)}, follow=True)
    return response.status_code, response.content.decode()


def large() -> bytes:
    return line(sample("messages.1.content", "x" * 3_000_000))


def folder() -> Path:
    return jobs.place(UUID(int=0)).parent


def begin(client: Client) -> str:
    """Return the page of a waiting import."""
    file = SimpleUploadedFile("large.jsonl", large())
    return str(client.post("/import/", {"file": file}).headers["Location"])
