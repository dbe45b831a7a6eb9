"""Text from a model becomes storable, also when a character is split between pieces."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from chat.llm.text import PieceCleaner, storable

ANY = st.text(st.sampled_from("a\x00\ud83d\ude00😀é") | st.characters(), max_size=20)


@given(ANY)
def test_storable_text_can_be_stored(text: str) -> None:
    assert "\x00" not in storable(text)
    storable(text).encode()


@given(st.text())
def test_storable_text_is_left_alone(text: str) -> None:
    assert storable(text) == text.replace("\x00", "\ufffd")


@given(ANY, st.lists(st.integers(0, 20)))
def test_pieces_joined_are_the_text(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(text)]
    cleaner = PieceCleaner()
    pieces = [cleaner.feed(text[a:b]) for a, b in itertools.pairwise(edges)]
    assert "".join([*pieces, cleaner.end()]) == storable(
        "".join(text[a:b] for a, b in itertools.pairwise(edges))
    )
    "".join(pieces).encode()


def test_each_lone_half_is_one_replacement() -> None:
    assert storable("\ud83dx\ude00\x00") == "\ufffdx\ufffd\ufffd"


def test_a_split_emoji_is_joined() -> None:
    cleaner = PieceCleaner()
    assert [cleaner.feed("a\ud83d"), cleaner.feed("\ude00b"), cleaner.end()] == ["a", "😀b", ""]
