"""The search index: it agrees with the rows, and the database uses it."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models.expressions import RawSQL
from pytest_django import DjangoAssertNumQueries

from chat import services
from chat.models import Conversation, Message, Piece, SearchEntry, Turn
from chat.search import compact, index_message, index_messages, matching, search
from chat.search.query import _LATEST
from chat.search.words import MAX_BYTES, words
from chat.turns import recovery, transitions
from tests.search.samples import found, said
from tests.support.conversations import talk

pytestmark = pytest.mark.django_db


# --- in step ------------------------------------------------------------------------------------


def say(owner: User, text: str, **options: object) -> services.Sent:
    return services.say(
        owner, conversation_id=uuid.uuid4(), text=text, default_model="demo", begins=True, **options  # type: ignore[arg-type]  # as `say` takes them
    )  # fmt: skip


def test_a_question_is_found_at_once_an_answer_when_it_is_finished(owner: User) -> None:
    asked = say(owner, "Any tea?")
    turn = transitions.take_next(asked.conversation_id)
    assert turn is not None
    Piece.objects.create(turn=asked.turn, seq=9, text="Green leaves")
    turn.parts.append("Green leaves")
    assert (found(owner, "tea"), found(owner, "leaves")) == ({"Any tea?"}, set())
    transitions.finish(turn, 10, status="completed", found=words(turn.text), is_watched=True)
    assert found(owner, "leaves") == {"Green leaves"}
    transitions.finish(
        turn, 10, status="completed", found=words(turn.text), is_watched=True
    )  # the journal retries
    assert found(owner, "leaves") == {"Green leaves"}


def test_the_text_of_a_dead_server_is_found(owner: User) -> None:
    asked = say(owner, "Any tea?")
    Turn.objects.update(status=Turn.Status.RUNNING, process="dead")
    Piece.objects.create(turn=asked.turn, seq=1, text="Half an ans")
    assert recovery.recover(asked.turn.pk, "dead", seen_at=None) is not None
    assert found(owner, "half") == {"Half an ans"}


def test_a_new_title_is_found_and_the_old_one_is_not(owner: User) -> None:
    conversation = said(owner, "Hi", title="Coffee")
    services.entitle(owner, conversation.pk, "Tea")
    assert search(owner.pk, "coffee") == []
    assert len(search(owner.pk, "tea")) == 1


def test_a_cancelled_message_is_not_found(owner: User) -> None:
    asked = say(owner, "Forget this", ask=services.Ask(client_id="a"))
    services.withdraw(owner, asked.conversation_id, "a")
    assert found(owner, "forget") == set()


def test_nothing_is_left_of_a_deleted_chat(owner: User) -> None:
    conversation = said(owner, "Secret tea", "Yes")
    services.delete(owner, conversation.pk)
    assert not SearchEntry.objects.exists()
    assert not SearchEntry.objects.filter(pk__in=RawSQL(*matching("tea"))).exists()  # noqa: S611  # with parameters
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            compact(is_first=True)
            # fails if the word index differs from the entries
            cursor.execute(
                "INSERT INTO chat_searchwords (chat_searchwords, rank) VALUES ('integrity-check', 1)"
            )
            cursor.execute(
                "SELECT count(*) FROM chat_searchwords_data WHERE instr(block, 'secret')"
            )
            assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_message_cannot_go_without_its_entry(owner: User) -> None:
    from django.db import IntegrityError

    conversation = said(owner, "Hi")
    Conversation.objects.update(leaf=None)
    Turn.objects.all().delete()
    with pytest.raises(IntegrityError):
        Message.objects.filter(conversation=conversation)._raw_delete(using="default")


def test_a_text_of_any_size_can_be_indexed(owner: User) -> None:
    conversation = talk(owner, "Hi")
    message = Message.objects.get()
    text = "first " + " ".join(map(str, range(10**6, 10**6 + 150_000)))
    index_message(message.pk, words(text), conversation_id=conversation.pk, owner_id=owner.pk)
    assert len(search(owner.pk, "first")) == 1


@pytest.mark.django_db(transaction=True)
def test_messages_older_than_the_index_are_found(owner: User) -> None:
    talk(owner, "Green tea", "Yes", title="About cups")
    call_command("migrate", "chat", "0006_admin", verbosity=0)
    call_command("migrate", verbosity=0)
    assert found(owner, "tea") == {"Green tea"}
    assert len(search(owner.pk, "cups", by_conversation=True)) == 1


# --- how fast -----------------------------------------------------------------------------------


def test_a_search_takes_a_bounded_number_of_queries(
    owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        said(owner, "tea", "tea", title=f"tea {number}" if number % 2 else "coffee")
    with django_assert_num_queries(5):
        assert len(search(owner.pk, "tea", by_conversation=True, limit=20)) == 20


def test_the_database_uses_its_word_index(owner: User) -> None:
    conversation = said(owner, "tea", "coffee")
    if connection.vendor == "postgresql":  # which needs statistics before it plans
        rows = (
            Message(conversation=conversation, owner=owner, content=f"w{n}", role="user")
            for n in range(2000)
        )
        index_messages(Message.objects.bulk_create(rows))
    query = _LATEST[connection.vendor]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT gin_clean_pending_list('search_entry_words')")
            cursor.execute("ANALYZE chat_searchentry")
            cursor.execute(f"EXPLAIN {query}", ["'tea':*", owner.pk, False, 100])
            assert "search_entry_words" in str(cursor.fetchall())
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {query}", ['"tea"*', owner.pk, False, 100])
            plan = [row[3] for row in cursor.fetchall()]
            assert plan[0].startswith("SCAN chat_searchwords VIRTUAL TABLE")
            assert plan[1].startswith("SEARCH entry USING INTEGER PRIMARY KEY")
            assert plan[2].startswith("LIST SUBQUERY")
            assert "USING INDEX conversation_hidden" in plan[3]
            assert len(plan) == 4  # nothing is sorted


@pytest.mark.parametrize("length", range(9, 13))
def test_no_word_is_empty_where_a_long_text_is_cut(length: int) -> None:
    """PostgreSQL refuses an empty word, and with it the end of the answer."""
    text = " ".join(f"{number:0{length}}" for number in range(100_000))
    found = words(text)
    assert len(" ".join(found)) <= MAX_BYTES
    assert all(found)
