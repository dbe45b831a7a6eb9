"""A conversation that is written or deleted in steps is hidden, and is finished after a kill."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from itertools import islice
from time import thread_time
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from chat import search, services
from chat.access.owner import find, local_owner
from chat.admin.users import why_kept
from chat.errors import SessionNotFound
from chat.models import (
    Audit,
    Conversation,
    Message,
    OpaquePart,
    SearchEntry,
    ToolCall,
    ToolRule,
    Turn,
)
from chat.services import hidden
from chat.services.imports.conversation import import_conversation
from chat.transfer.archive.format import ArchivedConversation
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Rules
from tests.services.hiding import WORD, import_it, leaving, sweep
from tests.transfer.samples import LONG, line, long_one

pytestmark = pytest.mark.django_db(transaction=True)

ALL = (Conversation, Message, Turn, ToolCall, OpaquePart, ToolRule, SearchEntry)


def moving() -> UUID:
    import_it()
    other = User.objects.create(username="other")
    services.reassign(local_owner(), UUID(LONG), to=other)
    assert hidden.list_hidden() == [(UUID(LONG), "moving")]
    return UUID(LONG)


@pytest.fixture(params=["half", "leaving", "moving"])
def unseen(request: pytest.FixtureRequest) -> UUID:
    """A hidden conversation, for each of the reasons."""
    if request.param == "half":
        return UUID(str(request.getfixturevalue("half")))
    return {"leaving": leaving, "moving": moving}[request.param]()


def addresses(conversation_id: UUID) -> Iterator[str]:
    first = Message.objects.filter(conversation=conversation_id).earliest("created_at")
    yield from (f"/c/{conversation_id}/", f"/c/{conversation_id}/download.md")
    yield f"/c/{conversation_id}/messages/{first.pk}/"
    yield f"/api/chat/sessions/{conversation_id}/messages"
    yield f"/admin/chat/conversation/{conversation_id}/change/"
    yield f"/admin/chat/message/{first.pk}/change/"


LISTS = (
    "/", "/chats/", f"/chats/?q={WORD}", "/sidebar/", "/export/", "/api/chat/sessions", "/admin/",
    *(
        f"/admin/chat/{model}/{query}"
        for model in ("conversation", "message", "turn", "toolcall", "toolrule", "opaquepart", "searchentry")
        for query in ("", f"?q={WORD}", f"?q={LONG}")
    ),
)  # fmt: skip


def shown(client: Client, address: str) -> str:
    answer: Any = client.get(address)
    assert answer.status_code == 200, address
    if not answer.streaming:
        return str(answer.content.decode())
    parts = answer.streaming_content

    async def whole() -> bytes:
        return b"".join([part async for part in parts])

    return asyncio.run(whole()).decode()


def test_it_is_on_no_page(client: Client, unseen: UUID) -> None:
    client.force_login(local_owner())
    for address in LISTS:
        page = shown(client, address).replace(f"?q={LONG}", "").replace(f'value="{LONG}"', "")
        assert "Ants" not in page, address
        assert f"{WORD} 1" not in page, address
    for address in addresses(unseen):
        assert client.get(address).status_code in (302, 404), address
    assert (
        "Ants"
        not in client.get(
            f"/admin/chat/conversation/{unseen}/change/", follow=True
        ).content.decode()
    )


def test_no_service_and_no_search_reaches_it(unseen: UUID) -> None:
    owner = Conversation.hidden_too.get().owner
    for asked in (
        lambda: find(owner, unseen),
        lambda: services.pin(owner, unseen, pinned=True),
        lambda: services.delete(owner, unseen),
        lambda: services.say(owner, conversation_id=unseen, text="x", default_model="m"),
    ):
        with pytest.raises(SessionNotFound):
            asked()
    assert search.search(owner.pk, WORD) == []
    assert search.search(owner.pk, "Ants") == []
    assert not list(Rules().shares().__next__().conversations())


@pytest.mark.parametrize("begin", [leaving, None])
def test_a_server_clears_away_abandoned_conversations(
    begin: Callable[[], UUID] | None, request: pytest.FixtureRequest
) -> None:
    if begin is None:
        request.getfixturevalue("half")
    else:
        begin()
    sweep()
    for model in ALL:
        assert not model._base_manager.exists(), model


def test_a_deletion_that_is_killed_at_any_step_is_continued() -> None:
    conversation_id = leaving()
    for number in range(5):
        with transaction.atomic():
            for _ in islice(hidden.remaining_work(conversation_id), number):
                pass
    sweep()
    for model in ALL:
        assert not model._base_manager.exists(), model


def test_a_conversation_given_away_ends_up_with_its_new_owner() -> None:
    conversation_id = moving()
    with transaction.atomic():
        next(hidden.remaining_work(conversation_id))
    sweep()
    other = User.objects.get(username="other")
    assert find(other, conversation_id).unread
    assert not Message.objects.exclude(owner=other).exists()
    assert not SearchEntry.objects.exclude(owner=other).exists()
    assert len(search.search(other.pk, WORD, limit=1000)) == 600
    assert search.search(local_owner().pk, WORD) == []


def test_the_client_id_of_a_message_being_deleted_can_be_used_again() -> None:
    conversation_id = leaving()
    first = Message.objects.filter(conversation=conversation_id).order_by("pk").first()
    assert first is not None
    Message.objects.filter(pk=first.pk).update(client_id="mine")
    said = services.say(
        local_owner(), conversation_id=uuid4(), text="x", default_model="m", ask=services.Ask(client_id="mine"),
        begins=True,
    )  # fmt: skip
    assert said.is_new


def test_a_prune_deletes_large_conversations_completely() -> None:
    import_it()
    prune = Prune(Rules(), Audit(action="prune", source="command"))
    while prune.step() is not None:
        assert not Conversation.objects.exists()
    assert (prune.deleted, prune.messages) == (1, 600)
    assert not Message.objects.exists()


@pytest.mark.skipif(
    connection.vendor == "postgresql", reason="PostgreSQL deletes a text without reading it"
)
def test_large_texts_go_one_by_one() -> None:
    long = long_one(20)
    for message in long["messages"]:
        message["content"] = "word " * 20_000
    whole = ArchivedConversation.model_validate_json(line(long))
    import_conversation(local_owner(), whole, find_user=lambda _: None)
    services.delete(local_owner(), whole.id)
    assert hidden.list_leaving() == [whole.id]
    before = SearchEntry.objects.count() + Message.objects.count()
    for _ in hidden.remaining_work(whole.id):
        now = SearchEntry.objects.count() + Message.objects.count()
        assert before - now <= 2
        before = now
    assert not Message.objects.exists()


def test_a_user_with_a_part_of_a_moving_chat_is_not_deleted() -> None:
    conversation_id = moving()
    other = User.objects.get(username="other")
    assert [*why_kept(local_owner())]
    assert [*why_kept(other)]
    hidden.finish_all([conversation_id])
    assert not [*why_kept(local_owner())]


def test_a_prune_deletes_thousands_of_calls_of_a_message() -> None:
    made = long_one(2)
    calls = made["messages"][1]["calls"]
    made["messages"][1]["calls"] = [calls[0] | {"call_id": f"call_{n}"} for n in range(6000)]
    whole = ArchivedConversation.model_validate_json(line(made))
    import_conversation(local_owner(), whole, find_user=lambda _: None)
    prune = Prune(Rules(), Audit(action="prune", source="command"))
    while prune.step() is not None:
        pass
    assert not Conversation.hidden_too.exists()
    assert not ToolCall.objects.exists()


def test_the_next_prune_finishes_a_killed_one() -> None:
    leaving()
    call_command("prune_history", "--older-than=90d", stdout=io.StringIO())
    assert not Conversation.hidden_too.exists()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The CPU seconds of each transaction, including its commit."""
    took: list[float] = []
    begun: list[float] = []
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__

    def timed_enter(self: transaction.Atomic) -> None:
        enter(self)
        begun.append(thread_time())

    def timed_leave(self: transaction.Atomic, *error: Any) -> None:
        leave(self, *error)
        took.append(thread_time() - begun.pop())

    monkeypatch.setattr(transaction.Atomic, "__enter__", timed_enter)
    monkeypatch.setattr(transaction.Atomic, "__exit__", timed_leave)
    return took


@pytest.mark.slow
def test_no_write_of_a_large_conversation_lasts(held: list[float]) -> None:
    """A single transaction for each would take seconds."""
    long = ArchivedConversation.model_validate_json(line(long_one(5000, said=WORD)))
    import_conversation(local_owner(), long, find_user=lambda _: None)
    other = User.objects.create(username="other")
    services.reassign(local_owner(), long.id, to=other)
    sweep()
    services.delete(other, long.id)
    sweep()
    assert not Message.objects.exists()
    assert len(held) > 20
    assert max(held) < 0.3
    assert max(held) < sum(held) / 5
