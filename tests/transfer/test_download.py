"""Downloading conversations from the page: only the owner's, under names that are safe anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from chat.access.owner import local_owner
from chat.models import Conversation
from tests.support.conversations import talk
from tests.support.hostile_texts import TEXTS
from tests.transfer.conftest import Export

pytestmark = pytest.mark.django_db


def get(client: Client, path: str) -> tuple[Any, bytes]:
    """Return the response and its streamed body."""

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in response.streaming_content])

    response: Any = client.get(path)
    assert response.status_code == 200
    body = async_to_sync(collect)()
    return response, body


def test_one_conversation_is_saved_as_markdown_or_json(client: Client, exported: Export) -> None:
    conversation = talk(local_owner(), "What is an *ant*?", "An **insect**.")
    talk(local_owner(), "Another")
    for suffix, form in [("md", "markdown"), ("json", "json"), ("jsonl", "jsonl")]:
        response, body = get(client, f"/c/{conversation.pk}/download.{suffix}")
        assert body == exported(format=form, id=[str(conversation.pk)])
        assert response["Content-Disposition"] == f'attachment; filename="about-ants.{suffix}"'


def test_all_are_exported_as_one_archive(
    client: Client, somebody_elses: Conversation, exported: Export
) -> None:
    talk(local_owner(), "Hi", "x" * 300_000)
    talk(local_owner(), "Hi")
    response, body = get(client, "/export/")
    assert body == exported(user="owner")
    assert response["Content-Disposition"].startswith('attachment; filename="talos-20')
    assert response["Content-Type"] == "application/jsonl; charset=utf-8"
    assert response["Cache-Control"].count("no-store")


@pytest.mark.promise(8)
def test_other_users_and_unknown_conversations_are_not_found(
    client: Client, somebody_elses: Conversation
) -> None:
    mine = talk(local_owner(), "Hi")
    empty = Conversation.objects.create(owner=local_owner())
    for path in (
        f"{somebody_elses.pk}/download.md",
        f"{mine.pk}/download.pdf",
        f"{empty.pk}/download.md",
    ):
        assert client.get(f"/c/{path}").status_code == 404
    assert client.post(f"/c/{mine.pk}/download.md").status_code == 405


def test_no_title_escapes_from_the_file_name(client: Client) -> None:
    conversation = talk(local_owner(), "Hi")
    for title in (*TEXTS, '"; filename="x.html', "..", "a\r\nSet-Cookie: x=y", "文" * 99):
        title = title.replace("\0", "")[:200]
        Conversation.objects.update(title=title)
        response, body = get(client, f"/c/{conversation.pk}/download.json")
        assert json.loads(body)["conversations"][0]["title"] == title
        header = response["Content-Disposition"]
        assert header.startswith("attachment; filename")
        assert header.endswith(('.json"', ".json"))
        name = header.split("filename", 1)[1]
        assert not set(name.removeprefix('="').removesuffix('"')) & set('"/\\\r\n<>; :')
        assert "Set-Cookie" not in response
