"""docs/tools.md is true: its example works where it is dropped, its tables match the code."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.tools.conftest import answer
from tools.core import registry
from tools.core.declaration import OUTPUT_LIMIT, SECONDS, ToolContext, tool
from tools.core.registry import AnyTool
from tools.core.runner import ToolRunner

PAGE = (settings.BASE_DIR / "docs" / "tools.md").read_text(encoding="utf-8")
EXAMPLE, EXAMPLE_TEST = (part.split("```")[0] for part in PAGE.split("```python\n")[1:])


def rows(title: str) -> list[list[str]]:
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


@pytest.mark.anyio
async def test_its_example_is_found_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: ToolContext
) -> None:
    (tmp_path / "handmade").mkdir()
    (tmp_path / "handmade" / "dice.py").write_text(EXAMPLE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    runner = ToolRunner(lambda: registry.load(("tools", "handmade")))
    outcome = await answer(runner, "roll_dice", '{"dice": "3", "sides": 6}', context)
    assert re.fullmatch(r"\d \+ \d \+ \d = \d+", outcome.content)
    assert not outcome.is_error
    wrong = await answer(runner, "roll_dice", '{"sides": 1}', context)
    assert (wrong.content, wrong.is_error) == ("A die has at least two sides.", True)


def test_its_example_test_passes() -> None:
    namespace: dict[str, object] = {"__name__": "dice"}
    exec(EXAMPLE.replace("from __future__ import annotations", ""), namespace)  # noqa: S102
    exec(EXAMPLE_TEST.replace("from tools.dice import roll_dice", ""), namespace)  # noqa: S102
    test = namespace["test_it_rolls_as_many_dice_as_asked"]
    assert callable(test)
    test()


def test_its_table_of_options_matches_the_decorator() -> None:
    parameters = list(inspect.signature(tool).parameters.values())[1:]
    defaults = {f"`{one.name}`": str(one.default) for one in parameters}
    listed = {name: default.strip("`") for name, default, _ in rows("Say how it may run")}
    assert listed == defaults | {"`seconds`": f"{SECONDS:g}", "`output_limit`": str(OUTPUT_LIMIT)}


def test_its_table_of_the_context_is_complete() -> None:
    listed = {name for row in rows("Know the call") for name in re.findall(r"`(\w+)", row[0])}
    assert listed == {field.name for field in dataclasses.fields(ToolContext)}


def test_its_table_of_tools_matches_the_registry() -> None:
    assert [tuple(row) for row in rows("The built-in ones")] == [
        row_of(one) for one in registry.load(("tools.builtin",))
    ]


def row_of(one: AnyTool) -> tuple[str, ...]:
    required = one.parameters.get("required", ())
    names = (name if name in required else f"{name}?" for name in one.parameters["properties"])
    arguments = ", ".join(f"`{name}`" for name in names)
    return (f"`{one.name}`", arguments, "yes" if one.approval else "no", one.summary)
