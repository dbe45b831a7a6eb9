"""`manage.py tools` lists and calls the same tools without a chat."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tools.core import registry


def tools(*arguments: str) -> str:
    out = StringIO()
    call_command("tools", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_it_lists_the_tools_on_offer(arguments: tuple[str, ...]) -> None:
    lines = tools(*arguments).splitlines()
    assert [line.split()[0] for line in lines] == list(registry.load(("tools",)).names)
    expected = "calculate automatic 5 s, 64 KiB Evaluate an arithmetic expression."
    assert lines[0].split() == expected.split()
    assert "needs approval" in lines[-1]


def test_it_calls_one() -> None:
    assert tools("call", "calculate", '{"expression": "6 * 7"}') == "42\n"
    assert "(" in tools("call", "current_time")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("calc", "{}", "Did you mean `calculate`"),
        ("calculate", "{}", "`expression` is missing"),
        ("calculate", "{", "not valid JSON"),
        ("calculate", '{"expression": "1/0"}', "divides by zero"),
    ],
)
def test_a_failed_call_fails_the_command(name: str, arguments: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        tools("call", name, arguments)


def test_a_tool_that_needs_approval_needs_yes(settings: Settings, tmp_path: Path) -> None:
    settings.WORKSPACE = tmp_path / "workspace"
    call = ("call", "write_file", '{"path": "note.md", "content": "Hello"}')
    with pytest.raises(CommandError, match="--yes"):
        tools(*call)
    assert not settings.WORKSPACE.exists()
    assert tools(*call, "--yes") == "Created note.md, 5 bytes.\n"
    assert (settings.WORKSPACE / "note.md").read_text() == "Hello"
