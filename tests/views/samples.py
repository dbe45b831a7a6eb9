"""Requests and rows for the tests of pages."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.models import Conversation
from chat.search import index_messages, index_title
from tests.support.conversations import talk

HTMX = {"HX-Request": "true"}


def here(conversation: Conversation) -> dict[str, str]:
    return {**HTMX, "HX-Current-URL": f"http://testserver/c/{conversation.pk}/"}


def get(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers or None)
    assert answer.status_code == 200
    return answer.content.decode()


def aged(owner: User, title: str, days: float, **fields: object) -> Conversation:
    conversation = talk(owner, f"About {title}", "Yes.", title=title)
    moment = timezone.now() - timedelta(days=days)
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=moment, **fields)
    index_messages(conversation.message_set.all())
    index_title(conversation, title)
    return conversation
