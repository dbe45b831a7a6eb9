"""The import rule of docs/architecture.md: arrows point one way only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "protocol": {"errors"},
    "llm": {"errors"},
    "models": {"db", "protocol"},
    "db": set(),
    "publish": {"db", "errors", "models", "protocol"},
    "access": {"db", "errors", "models", "protocol"},
    "connections": {"db", "llm", "models"},
    "search": {"models", "db"},
    "markdown": {"db", "models", "publish"},
}
"""What the rooms at the bottom may import of `chat`."""

TURNS = {
    "connections",
    "db",
    "errors",
    "llm",
    "markdown",
    "models",
    "protocol",
    "publish",
    "search",
    "turns",
}

SERVICES = TURNS | {"access", "services", "display", "transfer"}
BELOW |= {
    "transfer": {"db", "models"},
    "turns": TURNS,
    "services": SERVICES,
    "display": SERVICES,
    "slash": SERVICES | {"slash"},
}
# Above these (consumers, views, admin, commands) everything may be imported; nothing imports them.
TOP = {"socket", "views", "admin", "templatetags", "urls", "management"}


def imports(file: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def rooms_used(file: Path) -> set[str]:
    names = (name.split(".") for name in imports(file))
    root = settings.BASE_DIR / "chat"
    return {
        parts[1]
        for parts in names
        if parts[0] == "chat" and len(parts) > 1 and list(root.glob(f"{parts[1]}*"))
    }


def files(room: str) -> list[Path]:
    root = settings.BASE_DIR / "chat"
    return (
        [root / f"{room}.py"]
        if (root / f"{room}.py").exists()
        else list((root / room).rglob("*.py"))
    )


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_what_is_below_it(room: str) -> None:
    for file in files(room):
        assert rooms_used(file) - {room} <= BELOW[room], file


def test_nothing_imports_the_top() -> None:
    for file in (settings.BASE_DIR / "chat").rglob("*.py"):
        room = file.relative_to(settings.BASE_DIR / "chat").parts[0].removesuffix(".py")
        if room not in TOP:
            assert not rooms_used(file) & TOP, file


def test_tools_know_nothing_of_the_chat() -> None:
    for file in (settings.BASE_DIR / "tools").rglob("*.py"):
        assert not {
            name for name in imports(file) if name.split(".")[0] in ("chat", "talos_site")
        }, file


def test_the_wire_knows_no_django() -> None:
    for file in files("protocol"):
        assert not any(name.startswith("django") for name in imports(file)), file


def test_a_worker_has_nothing_of_the_server() -> None:
    """Nothing of it is there to be read by what goes wrong in it; and it starts in no time."""
    load = "import sys, chat.markdown.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert not {"django", "asyncio", "chat.models"} & set(done.stdout.split())
