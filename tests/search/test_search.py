"""Search: matches and excerpts."""

from __future__ import annotations

import unicodedata

import pytest
from django.contrib.auth.models import User
from django.db.models.expressions import RawSQL
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chat import services
from chat.models import SearchEntry
from chat.search import Hit, matching, search
from chat.search.words import words
from tests.search.samples import found, said

pytestmark = pytest.mark.django_db

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
"""Any query, including control characters and lone surrogates."""


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
