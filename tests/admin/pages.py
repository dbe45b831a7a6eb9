"""Pages of the admin, as a test reads and submits them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import Client

from chat.models import Conversation

LIST = "/admin/chat/conversation/"


def found(client: Client, url: str) -> list[Any]:
    return list(client.get(url).context["cl"].result_list)


def posted(client: Client, url: str, **data: object) -> str:
    return client.post(url, data, follow=True).content.decode()


def page(client: Client, conversation: Conversation, query: str = "") -> str:
    return client.get(f"{LIST}{conversation.pk}/change/{query}").content.decode()


def do(client: Client, action: str, *conversations: Conversation, **fields: str) -> str:
    chosen = [str(conversation.pk) for conversation in conversations]
    data = {"action": action, "_selected_action": chosen, **fields}
    return client.post(LIST, data, follow=True).content.decode()


def recorded(conversation: Conversation) -> list[str]:
    entries = LogEntry.objects.filter(object_id=str(conversation.pk)).order_by("pk")
    return [entry.get_change_message() for entry in entries]
