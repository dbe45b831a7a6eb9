"""Each promise in docs/protocol.md has tests that are marked with it: see `tests/support/unsteady.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

PROTOCOL = (settings.BASE_DIR / "docs" / "protocol.md").read_text()
PROMISES = {
    int(number)
    for number in re.findall(r"^(\d+)\. ", PROTOCOL.split("### Promises")[1].split("###")[0], re.M)
}
FAULTS = (settings.BASE_DIR / "docs" / "faults.md").read_text()
ROW = re.compile(r"^\|[^|]*\|([^|]*)\| `(test_\w+\.py)::(test_\w+)`", re.M)


def numbers(node: ast.AST) -> set[int]:
    """Return the numbers of all `promise` marks in a node."""
    return {
        argument.value
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "promise"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    }


def marked() -> Iterator[tuple[Path, str, set[int]]]:
    """Each test with the promises that it and its file are marked with."""
    for file in (settings.BASE_DIR / "tests").rglob("test_*.py"):
        module = ast.parse(file.read_text())
        shared = [
            numbers(node)
            for node in module.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        ]
        for node in module.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
                "test_"
            ):
                own = [numbers(decorator) for decorator in node.decorator_list]
                yield file, node.name, set().union(*shared, *own)


MARKED = list(marked())


def test_there_are_nine() -> None:
    assert set(range(1, 10)) == PROMISES


@pytest.mark.parametrize("promise", sorted(PROMISES))
def test_each_promise_has_tests(promise: int) -> None:
    assert [name for _, name, found in MARKED if promise in found]


def test_no_mark_is_of_another_promise() -> None:
    assert [(name, found) for _, name, found in MARKED if not found <= PROMISES] == []


def test_the_table_of_faults_says_which_promises_are_tried() -> None:
    listed = {
        (file, name): set(map(int, re.findall(r"\d+", cell)))
        for cell, file, name in ROW.findall(FAULTS)
    }
    tried = {(file.name, name): found for file, name, found in MARKED if "chaos" in file.parts}
    assert listed == tried
