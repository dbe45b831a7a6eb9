"""Keys as they are stored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from chat.connections.sealing import seal, unseal

KEY = "sk-something-to-keep"
STORED = (
    "gAAAAABrDaZGRR81HboSaJAUe3iy7KjY_M2P4J8d4AZKH8k1NPGCjzCzi2ptkkJSed5shM"
    "uehXh4LyZVYpIpKBNTYIl-OZIY2qQHscrulEe_TUQJ_rY-K84="
)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_is_opened(key: str) -> None:
    assert unseal(seal(key)) == key


def test_a_sealed_key_does_not_tell_the_key_nor_that_two_are_the_same() -> None:
    assert KEY not in seal(KEY)
    assert seal(KEY) != seal(KEY)


def test_another_secret_opens_nothing(settings: Settings) -> None:
    sealed = seal(KEY)
    settings.SECRET_KEY = "another-secret-of-more-than-32-characters"
    assert unseal(sealed) is None


@given(st.text(min_size=1))
def test_what_is_no_sealed_key_opens_to_nothing(text: str) -> None:
    assert unseal(text) is None


def test_what_is_stored_today_is_opened_by_every_later_version(settings: Settings) -> None:
    settings.SECRET_KEY = "a-secret-that-never-changes-0123456789"
    assert unseal(STORED) == KEY
