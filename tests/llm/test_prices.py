"""The price of a turn follows from its tokens and the price list."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from chat.llm.base import Usage
from chat.llm.catalogue import prices


@pytest.fixture
def no_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(prices, "_path", lambda: tmp_path / "none.json")
    monkeypatch.setattr(prices, "known", prices.known.__wrapped__)


def test_tokens_from_the_cache_cost_less() -> None:
    # 3, 15 and 0.30 dollars per million tokens
    assert prices.cost("claude-sonnet-4-5", Usage(1000, 100)) == Decimal("0.0045")
    assert prices.cost("claude-sonnet-4-5", Usage(1000, 100, 500)) == Decimal("0.00315")


def test_a_long_request_costs_more() -> None:
    # above 200,000 tokens: 2.50 instead of 1.25 dollars, and 15 instead of 10
    short = prices.cost("gemini/gemini-2.5-pro", Usage(200_000, 0))
    assert short == Decimal("0.25")
    assert prices.cost("gemini/gemini-2.5-pro", Usage(300_000, 1000)) == Decimal("0.765")


def test_an_unknown_model_has_no_price() -> None:
    assert prices.cost("no-such-model", Usage(1, 1)) is None


def test_only_chat_models_are_known() -> None:
    assert "text-embedding-3-small" not in prices.known()
    assert len(prices.known()) > 1000


def test_without_the_list_nothing_has_a_price(
    no_list: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert prices.cost("claude-sonnet-4-5", Usage(1, 1)) is None
    assert "cannot be read" in caplog.text
