"""Any result of a tool becomes text that can be stored, sent and read."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.tools.conftest import SECRET, Run
from tools.core.declaration import OUTPUT_LIMIT, tool
from tools.core.runner import ToolOutcome
from tools.core.text import Renderer

pytestmark = pytest.mark.anyio

result: Any = None


@tool
def give() -> Any:
    """Return what the test wants."""
    return result


@tool
async def give_later() -> Any:
    """Return it from a coroutine."""
    await asyncio.sleep(0)
    return result


class Place(BaseModel):
    city: str
    since: date


@dataclass
class Point:
    x: int


LOOP: list[Any] = []
LOOP.append(LOOP)
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("as it is", "as it is"),
        (None, "Done."),
        ("", "(no output)"),
        (42, "42"),
        (True, "true"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ("é", "é"),
        (["é"], '["é"]'),
        (Place(city="Rome", since=date(2020, 1, 2)), '{"city": "Rome", "since": "2020-01-02"}'),
        ([Place(city="Rome", since=date(2020, 1, 2))], '[{"city": "Rome", "since": "2020-01-02"}]'),
        (Point(1), '{"x": 1}'),
        (b"bytes", '"bytes"'),
        (Decimal("1.5"), '"1.5"'),
        (Path("a/b"), '"a/b"'),
        ({3}, "[3]"),
        ("\0\ud800x", "\ufffd\ufffdx"),
        (["\ud800"], '["\ufffd"]'),
        (f"key={SECRET}", "key=[secret]"),
        ({"key": SECRET}, '{"key": "[secret]"}'),
    ],
)
@pytest.mark.parametrize("one", [give, give_later], ids=["thread", "loop"])
async def test_it_is_text_or_json(
    run: Run, monkeypatch: pytest.MonkeyPatch, one: Any, given: object, text: str
) -> None:
    monkeypatch.setitem(globals(), "result", given)
    assert await run(one) == ToolOutcome(text)


@pytest.mark.parametrize("given", [object(), LOOP, DEEP, {(1, 2): 3}, [object()], print])
async def test_anything_else_is_an_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    monkeypatch.setitem(globals(), "result", given)
    outcome = await run(give)
    assert outcome.is_error
    assert outcome.content.startswith(f"`give` returned a {type(given).__name__}, which is not")
    assert len(outcome.content) < 500


@pytest.mark.parametrize("one", [give, give_later], ids=["thread", "loop"])
async def test_a_hundred_megabytes_are_cut(
    run: Run, monkeypatch: pytest.MonkeyPatch, one: Any
) -> None:
    monkeypatch.setitem(globals(), "result", "x" * 100_000_000)
    tracemalloc.start()
    try:
        outcome = await run(one)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    kept, note = outcome.content.split("\n\n")
    assert kept == "x" * OUTPUT_LIMIT
    assert note == "[Cut here, 99,934,464 of 100,000,000 characters left out.]"
    assert not outcome.is_error
    assert peak < 10_000_000


async def test_a_huge_list_is_not_serialized_to_its_end(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "result", [0] * 10_000_000)
    outcome = await run(give)
    assert len(outcome.content) < OUTPUT_LIMIT + 100
    assert "Cut here" in outcome.content


async def test_the_limit_is_in_bytes(run: Run) -> None:
    @tool(output_limit=10)
    def wide() -> str:
        """Return wide characters."""
        return "€" * 4

    assert (await run(wide)).content == "€€€\n\n[Cut here, 1 of 4 characters left out.]"


@given(st.text(st.characters(), max_size=50), st.integers(1, 60))
def test_any_text_fits_and_can_be_sent(text: str, limit: int) -> None:
    shown = Renderer(limit).render(text)
    assert len(shown.encode()) <= limit + 80
    assert "\0" not in shown
