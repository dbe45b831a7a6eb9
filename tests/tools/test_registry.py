"""The tools on offer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from tools.core import registry
from tools.core.declaration import ToolDeclarationError

HEAD = "from __future__ import annotations\nfrom tools import tool\n"
TOOL = '''
@tool
def {name}() -> str:
    """Say a name."""
    return "{name}"
'''


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for a user's own modules."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    registry.load.cache_clear()
    yield tmp_path
    registry.load.cache_clear()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(file: Path, *names: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEAD + "".join(TOOL.format(name=name) for name in names))


def test_the_built_in_tools_are_there_sorted_by_name() -> None:
    found = registry.load(("tools",))
    assert found.names == (
        "calculate", "current_time", "list_files", "read_file", "search_conversations", "write_file"
    )  # fmt: skip
    assert tuple(tool.name for tool in found) == found.names
    assert [tool.name for tool in found if tool.approval] == ["write_file"]


def test_it_is_loaded_once() -> None:
    assert registry.load(("tools",)) is registry.load(("tools",))


def test_a_package_stands_for_all_modules_in_it(modules: Path) -> None:
    write(modules / "my_tools" / "__init__.py", "c")
    write(modules / "my_tools" / "one.py", "b")
    write(modules / "my_tools" / "two.py", "a", "d")
    assert registry.load(("my_tools",)).names == ("a", "b", "c", "d")


def test_modules_may_be_named_twice(modules: Path) -> None:
    write(modules / "my_tools" / "one.py", "a")
    assert registry.load(("my_tools", "my_tools.one", "my_tools")).names == ("a",)


def test_a_module_offers_the_tools_that_it_defines(modules: Path) -> None:
    write(modules / "own.py", "a")
    (modules / "borrowed.py").write_text("from own import a\n")
    assert registry.load(("borrowed",)).names == ()


def test_two_tools_of_one_name_are_refused(modules: Path) -> None:
    write(modules / "one.py", "same")
    write(modules / "two.py", "same")
    with pytest.raises(ToolDeclarationError, match=r"two\.py.*one also has a tool of that name"):
        registry.load(("one", "two"))


def test_a_file_that_a_folder_hides_is_refused(modules: Path) -> None:
    write(modules / "my_tools" / "sandbox.py", "mine")
    write(modules / "my_tools" / "sandbox" / "__init__.py", "other")
    with pytest.raises(ToolDeclarationError, match=r"sandbox\.py.*hides it.*Rename the file"):
        registry.load(("my_tools",))


def test_an_unknown_tool_is_none() -> None:
    assert registry.load(("tools",)).get("launch") is None


@pytest.mark.parametrize("source", ["import nowhere", "1 +", "raise OSError('no')"])
def test_a_module_that_cannot_be_imported_is_named(modules: Path, source: str) -> None:
    (modules / "broken.py").write_text(source)
    with pytest.raises(ToolDeclarationError, match="broken: it cannot be imported") as refused:
        registry.load(("broken",))
    assert "TALOS_TOOLS" in refused.value.hint


def test_e010_a_wrong_tool_prevents_the_start(settings: Settings, modules: Path) -> None:
    (modules / "wrong.py").write_text("from tools import tool\n@tool\ndef f(): ...\n")
    settings.TALOS_TOOLS = ["tools", "wrong"]
    (found,) = run_checks()
    assert found.id == "talos.E010"
    assert "wrong.py:2: f()" in found.msg
    assert "no docstring" in found.msg
    assert "say what it does" in (found.hint or "")
