"""A model's answer becomes a title: additions are removed, nothing else is lost."""

# ruff: noqa: RUF001  # the letters and the punctuation of many scripts

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.turns.title_text import MAX_LENGTH, MAX_READ, extract_title


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Monads explained", "Monads explained"),
        ('"Monads explained."', "Monads explained"),
        ("**Title:** Monads explained", "Monads explained"),
        ("**Title**: Monads explained", "Monads explained"),
        ("**Title: Monads explained**", "Monads explained"),
        ('Title: "Monads explained"', "Monads explained"),
        ("Title:\nMonads explained", "Monads explained"),
        ("Here is a title:\n\n**Monads**", "Monads"),
        ("Titre : Les monades", "Les monades"),
        ("标题：单子", "单子"),
        ("Заголовок: Монады", "Монады"),
        ("# Monads", "Monads"),
        ("- Monads", "Monads"),
        ("***Monads***", "Monads"),
        ("`Monads`", "Monads"),
        ("```\nMonads\n```", "Monads"),
        ("```text\nMonads", "Monads"),
        ("```\nMonads\n\n  ```\nIt is short.", "Monads"),
        ('{"title": "Monads explained"}', "Monads explained"),
        ('```json\n{"title": "Monads"}\n```', "Monads"),
        ("<think>hm, hm</think>\n\nMonads", "Monads"),
        ("hm, hm</think>Monads", "Monads"),
        ("<think>for ever", ""),
        ("\n\n  Two\tlines\nof it", "Two lines"),
        ("", ""),
        ("``", ""),
        ("„Monaden erklärt“", "Monaden erklärt"),
        ("« Les monades »", "Les monades"),
        ("「モナド入門」", "モナド入門"),
        ("‘Monads’", "Monads"),
        ("”Monader”", "Monader"),
        ("'Don't panic'", "Don't panic"),
        ("“The “best” of it”", "The “best” of it"),
        ('"The "best" of it"', 'The "best" of it'),
        ("Steuern erklärt.", "Steuern erklärt"),
        ("税法入门。", "税法入门"),
        ("a\u202eb\x1b[31m\u2066c\u200b\ufeff", "ab[31mc"),
    ],
)
def test_additions_around_a_title_are_removed(answer: str, title: str) -> None:
    assert extract_title(answer) == title


@pytest.mark.parametrize(
    "title",
    [
        "Intro to C#",
        "F# and C++",
        "#1 in the charts",
        "__init__",
        "__init__ and __call__",
        "*args and **kwargs",
        "*args",
        "Tax law in the U.S.",
        "Apples, pears, etc.",
        "Letter to Acme Inc.",
        "Plan B.",
        "To be continued...",
        "What is love?",
        'What does "yield" do?',
        '"Hamlet" and "Macbeth"',
        "“Hamlet” and “Macbeth”",
        "„Faust“ und „Egmont“",
        "«Идиот» и «Бесы»",
        "'Tis the season",
        'The 27" monitor',
        "Rock 'n' Roll",
        "`ls` and `dir`",
        "What `<think>` and `</think>` mean",
        "2 * 3 * 4",
        "-- in SQL",
        "Title of a book",
        "می\u200cخواهم خوش\u200cنویسی",
        "क्\u200dष and क्\u200cष",
        "Family 👨\u200d👩\u200d👧\u200d👦 holiday",
        "Flag 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f day",
        "e\u0301te\u0301",
        "שלום עולם",
        "مرحبا (C++) \u200eabc",
        ".NET",
        "🎉",
    ],
)
def test_a_plain_title_is_kept_whole(title: str) -> None:
    assert extract_title(title) == title


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ("word " * 40, "word…"),
        ("字" * 100, "字…"),
        ("x" * 78 + "👨\u200d👩\u200d👧 and more", "xx…"),
        ("x" * 78 + "e\u0301\u0302 and more", "xx…"),
        ("🇩🇪" * 50, "🇩🇪🇩🇪…"),
        ("\u0301" * 200, "\u0301…"),
    ],
)
def test_a_long_title_ends_between_words_or_characters(answer: str, end: str) -> None:
    title = extract_title(answer)
    assert title.endswith(end)
    assert 40 < len(title) <= MAX_LENGTH


_PIECES = st.sampled_from(
    [
        "<think>",
        "</think>",
        "```",
        "\n",
        '{"title": "',
        '"}',
        "Title:",
        "**",
        "*",
        "#",
        "- ",
        '"',
        "'",
        "“",
        "”",
        "„",
        "«",
        "»",
        "`",
        ".",
        "…",
        "\u200d",
        "\u200c",
        "\u202e",
        " ",
        "a",
        "word",
    ]
)


@given(st.text() | st.lists(_PIECES, max_size=60).map("".join) | st.text("ab ", min_size=70))
def test_a_clean_title_is_one_short_line_and_stays(answer: str) -> None:
    title = extract_title(answer)
    assert len(title) <= MAX_LENGTH
    assert title == title.strip()
    assert len(title.splitlines()) <= 1
    assert extract_title(title) == title


@given(st.text(st.characters(categories=["L", "N", "S"]), min_size=1))
def test_visible_text_never_disappears_entirely(answer: str) -> None:
    assert extract_title(answer) or not answer.strip("`~=+ ")


def test_a_hostile_title_is_cleaned_quickly() -> None:
    for hostile in ('"', "**", "<think>", "- ", "“", "```\n", '{"title": "', "\u200d", "Title:"):
        start = time.perf_counter()
        extract_title(hostile * 100_000)
        assert time.perf_counter() - start < 1


def test_a_fence_of_blank_lines_is_cleaned_quickly() -> None:
    start = time.process_time()
    for _ in range(10):
        extract_title("```\n" + "\n" * MAX_READ)
    assert time.process_time() - start < 1
