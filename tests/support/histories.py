"""Many conversations at once, with some messages and turns each, of a given age."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from chat import search
from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Message, SearchEntry, ToolCall, Turn


@transaction.atomic  # a running server removes old conversations without messages
def make(
    number: int,
    *,
    messages: int = 4,
    age: timedelta = timedelta(100),
    owner: User | None = None,
    text: str = "word " * 20,
    **fields: object,
) -> list[Conversation]:
    """Conversations that were last used so long ago, each a second before the one before it.

    Every second message is an answer with a turn that is over, and the first with a tool call.
    """
    owner = owner or local_owner()
    latest = timezone.now() - age
    made = [
        Conversation(
            owner=owner,
            title=f"Chat {n}",
            created_at=latest - timedelta(seconds=n, hours=1),
            updated_at=latest - timedelta(seconds=n),
            **fields,
        )
        for n in range(number)
    ]
    Conversation.objects.bulk_create(made)
    said = {conversation.pk: _said(conversation, messages, text) for conversation in made}
    everything = [message for chain in said.values() for message in chain]
    Message.objects.bulk_create(everything)
    search.index_messages(everything)
    answers = [message for message in everything if message.role == "assistant"]
    Turn.objects.bulk_create(_turn(answer) for answer in answers)
    ToolCall.objects.bulk_create(_call(chain[1]) for chain in said.values() if len(chain) > 1)
    for conversation in made:
        conversation.leaf = said[conversation.pk][-1]
        search.index_title(conversation, conversation.title)
    Conversation.objects.bulk_update(made, ["leaf"], batch_size=200)
    return made


def _said(conversation: Conversation, number: int, text: str) -> list[Message]:
    chain: list[Message] = []
    for n in range(number):
        message = Message(
            conversation=conversation,
            owner_id=conversation.owner_id,
            parent=chain[-1] if chain else None,
            role="assistant" if n % 2 else "user",
            content=text,
            created_at=conversation.created_at + timedelta(seconds=n),
        )
        chain.append(message)
    return chain


def _turn(answer: Message, status: str = "completed") -> Turn:
    return Turn(
        message=answer,
        conversation_id=answer.conversation_id,
        status=status,
        model="demo",
        input_tokens=100,
        output_tokens=20,
        started_at=answer.created_at,
        ended_at=_after(answer.created_at),
    )


def _after(moment: datetime) -> datetime:
    return moment + timedelta(seconds=2)


def _call(answer: Message) -> ToolCall:
    return ToolCall(
        message=answer,
        call_id="call-1",
        round=0,
        offset=0,
        name="calculate",
        arguments='{"expression": "6 * 7"}',
        status="finished",
        result="42",
    )


def call_in(conversation: Conversation, **fields: object) -> ToolCall:
    """A tool call in a conversation's last answer."""
    known: dict[str, object] = {"call_id": "c", "name": "write_file", "arguments": "{}"}
    answer = Message.objects.get(pk=str(conversation.leaf_id))
    return ToolCall.objects.create(message=answer, round=0, offset=0, **{**known, **fields})


def whole() -> None:
    """Print how many that were made here are there, and how many prunes say that they deleted.

    For another process. Nothing of a conversation may be left without the rest of it.
    """
    for model, key in ((Message, "conversation"), (Turn, "message"), (ToolCall, "message")):
        orphans = model._default_manager.filter(**{f"{key}__isnull": True})
        assert not orphans.exists(), model
    made = Conversation.objects.filter(title__startswith="Chat ")
    sizes = made.annotate(said=Count("message", distinct=True), turns=Count("turn", distinct=True))
    assert set(sizes.values_list("said", "turns")) <= {(4, 2)}
    found = SearchEntry.objects.filter(conversation__in=made)
    assert found.count() == 5 * made.count()
    connection.check_constraints()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    pruned = Audit.objects.filter(action="prune").values_list("summary", flat=True)
    said = [re.search(r": ([\d,]+) with", summary) for summary in pruned]
    deleted = [int(match[1].replace(",", "")) for match in said if match]
    print(json.dumps([made.count(), sum(deleted)]))
