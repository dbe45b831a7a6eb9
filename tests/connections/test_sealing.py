"""The encryption of stored keys."""

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
def test_a_sealed_key_is_unsealed(key: str) -> None:
    assert unseal(seal(key)) == key


def test_a_sealed_key_reveals_neither_the_key_nor_that_two_are_equal() -> None:
    assert KEY not in seal(KEY)
    assert seal(KEY) != seal(KEY)


def test_another_secret_unseals_nothing(settings: Settings) -> None:
    sealed = seal(KEY)
    settings.SECRET_KEY = "another-secret-of-more-than-32-characters"
    assert unseal(sealed) is None


@given(st.text(min_size=1))
def test_an_invalid_sealed_key_unseals_to_nothing(text: str) -> None:
    assert unseal(text) is None


def test_keys_sealed_today_are_unsealed_by_every_later_version(settings: Settings) -> None:
    settings.SECRET_KEY = "a-secret-that-never-changes-0123456789"
    assert unseal(STORED) == KEY
