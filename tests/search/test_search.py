"""Search: matches, excerpts, and an index that agrees with the rows."""

from __future__ import annotations

import unicodedata
import uuid

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models.expressions import RawSQL
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, Piece, SearchEntry, Turn
from chat.search import Hit, compact, index_message, index_messages, index_title, matching, search
from chat.search.query import _LATEST
from chat.search.words import MAX_BYTES, words
from chat.turns import recovery, transitions
from tests.support.conversations import talk

pytestmark = pytest.mark.django_db

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
"""Any query, including control characters and lone surrogates."""


@pytest.fixture
def owner() -> User:
    return local_owner()


def said(owner: User, *texts: str, title: str = "Some chat") -> Conversation:
    """Make an indexed conversation, as an import does."""
    conversation = talk(owner, *texts, title=title)
    messages = Message.objects.filter(conversation=conversation).order_by("created_at")
    index_messages(messages)
    index_title(conversation, title)
    return conversation


def found(owner: User, query: str) -> set[str]:
    """Return the texts of the messages that a query finds."""
    hits = search(owner.pk, query, limit=100)
    return set(
        Message.objects.filter(pk__in=[h.message_id for h in hits]).values_list(
            "content", flat=True
        )
    )


def marks(hit: Hit) -> list[str]:
    return [text for text, is_match in hit.excerpt.pieces if is_match]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The quick brown fox", "quick"),
        ("The quick brown fox", "QUICK  fox"),
        ("The quick brown fox", "fox qui"),  # any order; a word may continue
        ("Crème brûlée", "creme brulee"),
        ("creme brulee", "CRÈME"),
        ("Äpfel und Straße", "apfel strasse"),
        ("ÄPFEL", "äpfel"),
        ("Ανθρώπους", "ανθρωπους"),
        ("Ёлка и чай", "елка чаи"),
        ("İstanbul", "istanbul"),
        ("ﬁnd ①", "find 1"),
        ("你好世界", "世界"),
        ("你好世界", "界"),
        ("今日は東京で会いましょう", "東京"),
        ("用Python写程序", "python 程序"),
        ("ภาษาไทย", "ไทย"),
        ("한국어를 배워요", "한국"),
        ("हिन्दी में लिखो", "हिन्दी"),
        ("مَرْحَبًا بالعالم", "بالعالم"),
        ("Party 🎉 tonight", "🎉"),
        ("It costs 5 €", "€"),
        ("Call `snake_case_name(x)`", "case_name"),
        ("see https://example.org/path?q=1", "example.org/path"),
        ("don't panic", "don't"),
        ("C++ and C#", "c++"),
        ("soft\u00adhyphen", "softhyphen"),
        ("A" * 500, "a" * 400),
    ],
)  # fmt: skip
def test_it_finds(owner: User, text: str, query: str) -> None:
    said(owner, text, "Something else")
    assert found(owner, query) == {text}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The quick brown fox", "quick cat"),
        ("The quick brown fox", "row"),  # in the middle of a word
        ("你好世界", "界世"),
        ("percent", "%"),
        ("under_score", "_"),
        ("anything", ""),
        ("anything", " \t\n"),
        ("anything", "\0"),
        ("anything", "?!"),
        ("anything", "''\"\"*()"),
    ],
)
def test_it_does_not_find(owner: User, text: str, query: str) -> None:
    said(owner, text)
    assert found(owner, query) == set()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT)
@example('"')
@example("a AND NOT b OR * NEAR( : ^ - +")
@example("'a':* & !b | (c <-> d)\\")
@example("{words} : -x \ue000")
@example("a " * 3000)
@example("\ud800 % _ \0")
def test_any_input_is_a_query(owner: User, query: str) -> None:
    said(owner, "anything")
    assert isinstance(search(owner.pk, query), list)
    assert SearchEntry.objects.filter(pk__in=RawSQL(*matching(query))).count() >= 0  # noqa: S611  # with parameters
    assert words(query) == words(query)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60))
@example("ﷺ" * 60)
@example("e\u0301\u0301\u0327")
def test_a_text_is_found_by_itself_and_shown(owner: User, text: str) -> None:
    """Any text is stored, found by its own words, and comes back unchanged."""
    conversation = said(owner, text)
    hits = search(owner.pk, text, limit=100)
    assert bool(words(text)) == any(hit.conversation_id == conversation.pk for hit in hits)
    for hit in hits:
        assert all(piece for piece, _ in hit.excerpt.pieces)
        assert str(hit.title) == "Some chat"


@given(st.text(st.characters(max_codepoint=0x24F), max_size=40))
def test_however_an_accent_is_written(text: str) -> None:
    composed, apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert words(composed) == words(apart)


def test_the_words_are_shown_in_context(owner: User) -> None:
    said(owner, f"{'before ' * 100}a *Lisbon* hotel {'after ' * 100}")
    (hit,) = search(owner.pk, "hotel lisb")
    assert marks(hit) == ["Lisb", "hotel"]
    assert "before a Lisbon hotel after" in str(hit.excerpt)
    assert str(hit.excerpt).startswith("…before")
    assert str(hit.excerpt).endswith("after…")
    assert len(str(hit.excerpt)) < 210


def test_the_mark_is_where_the_word_is_though_folding_moves_it(owner: User) -> None:
    said(owner, "ﷺ İß ½ 🎉 Straße 世界")
    assert marks(search(owner.pk, "STRASSE")[0]) == ["Straße"]
    assert marks(search(owner.pk, "界")[0]) == ["界"]
    assert marks(search(owner.pk, "🎉 str")[0]) == ["🎉", "Str"]


def test_the_stretch_with_most_of_the_words_is_shown(owner: User) -> None:
    said(owner, f"tea {'x ' * 300} coffee and tea {'y ' * 300} coffee")
    assert marks(search(owner.pk, "tea coffee")[0]) == ["coffee", "tea"]


def test_a_title_comes_first_with_how_the_chat_began(owner: User) -> None:
    old = said(owner, "How do I begin?", "Like this.", title="Gardening")
    said(owner, "Is gardening hard?", "No.")
    first, second = search(owner.pk, "gard")
    assert (first.conversation_id, str(first.excerpt)) == (old.pk, "How do I begin?")
    assert first.title.pieces == (("Gard", True), ("ening", False))
    assert marks(second) == ["gard"]


def test_the_latest_comes_first(owner: User) -> None:
    for number in range(3):
        conversation = said(owner, f"tea number {number}")
        SearchEntry.objects.filter(conversation=conversation).update(
            said_at=f"2026-01-0{3 - number}T00:00Z"
        )
    assert [str(hit.excerpt)[-1] for hit in search(owner.pk, "tea")] == ["0", "1", "2"]


def test_each_chat_once_if_wanted_and_by_pages(owner: User) -> None:
    for number in range(5):
        said(owner, f"tea {number}", f"more tea {number}")
    assert len(search(owner.pk, "tea")) == 10
    pages = [
        search(owner.pk, "tea", by_conversation=True, limit=2, offset=at) for at in (0, 2, 4, 6)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert len({hit.conversation_id for page in pages for hit in page}) == 5


def test_nobody_finds_the_texts_of_others(owner: User) -> None:
    stranger = User.objects.create(username="stranger")
    said(stranger, "My secret", title="Secret plans")
    assert search(owner.pk, "secret") == []
    assert len(search(stranger.pk, "secret", by_conversation=True)) == 1


def test_an_archived_chat_is_found_and_says_so(owner: User) -> None:
    conversation = said(owner, "old tea")
    services.archive(owner, conversation.pk, archived=True)
    assert [hit.is_archived for hit in search(owner.pk, "tea")] == [True]


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
