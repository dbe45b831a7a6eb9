"""A conversation of a few messages, stored directly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chat.models import Conversation, Message, Turn


def talk(owner: User, *said: str, title: str = "About ants") -> Conversation:
    """A conversation of questions and answers, in turns."""
    conversation = Conversation.objects.create(owner=owner, title=title)
    begin = timezone.now() - timedelta(hours=1)
    parent = None
    for number, content in enumerate(said):
        role = Message.Role.ASSISTANT if number % 2 else Message.Role.USER
        parent = Message.objects.create(
            conversation=conversation,
            owner=owner,
            parent=parent,
            role=role,
            content=content,
            created_at=begin + timedelta(seconds=number),
        )
        if number % 2:
            status = Turn.Status.COMPLETED
            Turn.objects.create(
                message=parent, conversation=conversation, status=status, model="demo"
            )
    conversation.leaf = parent
    conversation.save()
    return conversation


@pytest.fixture
def somebody_elses() -> Conversation:
    return talk(User.objects.create(username="stranger"), "A secret", "Kept", title="Secrets")
