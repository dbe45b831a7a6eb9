"""The built-in tools, called the way a model calls them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.tools.conftest import answer
from tools.core import registry
from tools.core.declaration import Hit, ToolContext
from tools.core.runner import ToolOutcome, ToolRunner

pytestmark = pytest.mark.anyio

Use = Callable[..., Awaitable[ToolOutcome]]


@pytest.fixture
def use(context: ToolContext) -> Use:
    runner = ToolRunner(lambda: registry.load(("tools.builtin",)))

    async def call(name: str, **arguments: Any) -> ToolOutcome:
        return await answer(runner, name, arguments, context)

    return call


async def test_a_sum(use: Use) -> None:
    assert await use("calculate", expression="6 * 7") == ToolOutcome("42")


async def test_a_wrong_sum_is_explained(use: Use) -> None:
    assert await use("calculate", expression="1/0") == ToolOutcome(
        "This divides by zero.", is_error=True
    )


@pytest.mark.parametrize(
    ("asked", "zone"),
    [
        (None, "Europe/Paris"),
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("asia/tokyo", "Asia/Tokyo"),
        ("Tokyo", "Asia/Tokyo"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
        (" UTC ", "UTC"),
    ],
)
async def test_the_time(use: Use, asked: str | None, zone: str) -> None:
    outcome = await use("current_time", timezone=asked)
    pattern = r"\w+day, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d \(([\w/]+)\)"
    found = re.fullmatch(pattern, outcome.content)
    assert found is not None, outcome
    assert found[1] == zone


@pytest.mark.parametrize("asked", ["Europe/Pariss", "Pariss"])
async def test_a_typo_in_a_zone_suggests_similar_ones(use: Use, asked: str) -> None:
    outcome = await use("current_time", timezone=asked)
    assert outcome.is_error
    assert "Europe/Paris" in outcome.content


@pytest.mark.parametrize(
    "asked", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 10**5, ".", "Europe/"]
)
async def test_an_unknown_zone_is_refused(use: Use, asked: str) -> None:
    outcome = await use("current_time", timezone=asked)
    assert outcome.is_error
    assert outcome.content.startswith("There is no time zone")
    assert len(outcome.content) < 300


async def test_a_file_is_written_listed_and_read(use: Use) -> None:
    assert (await use("list_files")).content == "(empty)"
    made = await use("write_file", path="notes/today.md", content="Grüße\n")
    assert made == ToolOutcome("Created notes/today.md, 8 bytes.")
    again = await use("write_file", path="notes/today.md", content="")
    assert again == ToolOutcome("Replaced notes/today.md, 0 bytes.")
    assert (await use("read_file", path="notes/today.md")).content == "(the file is empty)"
    assert (await use("list_files", path=".")).content == "notes/"
    assert (await use("list_files", path="notes")).content == "today.md (0 bytes)"


async def test_a_missing_file_is_explained(use: Use) -> None:
    assert await use("read_file", path="nowhere.md") == ToolOutcome(
        "There is no 'nowhere.md' in the workspace.", is_error=True
    )


@pytest.mark.parametrize("content", [b"\x89PNG\0\xff", b"caf\xe9", b"a\0b", b"\xff\xfea\0"])
async def test_a_binary_file_is_refused(use: Use, context: ToolContext, content: bytes) -> None:
    context.workspace.mkdir()
    (context.workspace / "file").write_bytes(content)
    outcome = await use("read_file", path="file")
    assert outcome.is_error
    assert f"not a UTF-8 text file ({len(content)} bytes)" in outcome.content


async def test_a_long_file_is_cut_between_characters(use: Use, context: ToolContext) -> None:
    context.workspace.mkdir()
    (context.workspace / "long").write_text("a" + "é" * 100_000, encoding="utf-8")
    outcome = await use("read_file", path="long")
    text, note = outcome.content.split("\n\n")
    assert set(text) == {"a", "é"}
    assert note == "[Cut here: 65,336 of 200,001 bytes shown.]"


async def test_a_name_that_misleads_is_listed_in_quotes(use: Use, context: ToolContext) -> None:
    context.workspace.mkdir()
    (context.workspace / "a\nb").touch()
    (context.workspace / "link").symlink_to("/")
    listed = (await use("list_files")).content
    assert listed.splitlines() == ["'a\\nb' (0 bytes)", "link (link, cannot be opened)"]


async def test_a_search_goes_through_the_port(context: ToolContext) -> None:
    asked: list[tuple[str, int]] = []

    async def search(query: str, limit: int) -> Sequence[Hit]:
        asked.append((query, limit))
        return [Hit("id", "Trip", "user", "to Rome", "2025-06-01")] * 3

    runner = ToolRunner(lambda: registry.load(("tools.builtin",)))
    with_port = replace(context, search=search)
    found = await answer(runner, "search_conversations", {"query": "Rome", "limit": 2}, with_port)
    assert found.content == "\n\n".join(["Trip (2025-06-01, user):\nto Rome"] * 2)
    assert asked == [("Rome", 2)]


async def test_without_a_port_there_is_nothing_to_search(use: Use) -> None:
    outcome = await use("search_conversations", query="Rome")
    assert outcome == ToolOutcome("There are no conversations to search here.", is_error=True)
