"""docs/architecture.md shows the rooms as they are, and imports point down in its table."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = dict(
    re.findall(r"^\| `([\w/.]+)` \| (.+?) \|$", PAGE.split("## Rooms")[1].split("\n## ")[0], re.M)
)
ROOMS = list(ROWS)
"""From top to bottom."""
MOST_ROOMS, MOST_ARROWS = 34, 120


@cache
def files() -> dict[Path, str]:
    """Every Python file of the product, and its room. Tests may import anything."""
    found = [
        file.relative_to(ROOT)
        for folder in ("chat", "tools", "talos_site", "benchmarks")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ]
    return {file: room for file in found if (room := room_of(file))}


def room_of(file: Path) -> str:
    """The room of a file, as the table writes it. Empty: `chat/__init__.py`."""
    folder, *inner = file.parts
    if folder != "chat":
        return f"{folder}/"
    if len(inner) > 1:
        return f"chat/{inner[0]}/"
    return "" if inner[0] == "__init__.py" else f"chat/{inner[0]}"


def imports(file: Path) -> Iterator[str]:
    """The dotted names of everything that a file imports, wherever it does."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_named(name: str) -> str:
    """The room that a dotted name leads to. Empty: none, or `chat` itself."""
    parts = name.split(".")
    if parts[0] in ("tools", "talos_site", "benchmarks"):
        return f"{parts[0]}/"
    if parts[0] == "chat" and len(parts) > 1:
        return f"chat/{parts[1]}" + ("/" if (ROOT / "chat" / parts[1]).is_dir() else ".py")
    return ""


@cache
def arrows() -> dict[tuple[str, str], list[str]]:
    """Pairs of rooms of which one imports the other, each with the imports that make it."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for file, room in files().items():
        for name in imports(file):
            if (other := room_named(name)) and other != room:
                found[room, other].append(f"{file}: {name}")
    return found


def first_sentence(file: Path) -> str:
    text = " ".join((ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split())
    return re.split(r"(?<=\.) (?=[A-Z`])", text)[0]


def test_the_table_has_every_room() -> None:
    assert sorted(ROOMS) == sorted(set(files().values()))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_described_by_its_docstring(room: str) -> None:
    file = ROOT / room
    assert ROWS[room] == first_sentence(file / "__init__.py" if file.is_dir() else file)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    above = ROOMS[: ROOMS.index(room)]
    assert not [made for (one, other), made in arrows().items() if one == room and other in above]


def test_the_picture_stays_calm() -> None:
    print(f"{len(ROOMS)} rooms, {len(arrows())} arrows")
    for room in ROOMS:
        print(room, "→", *sorted(other for one, other in arrows() if one == room))
    assert len(ROOMS) <= MOST_ROOMS
    assert len(arrows()) <= MOST_ARROWS


def test_only_the_server_knows_daphne_and_twisted() -> None:
    for file in files():
        if file.parts[:2] != ("talos_site", "server"):
            used = {name.split(".")[0] for name in imports(file)}
            assert not used & {"daphne", "twisted", "autobahn"}, file


def test_the_wire_knows_no_django() -> None:
    for file, room in files().items():
        if room == "chat/protocol/":
            assert not any(name.startswith("django") for name in imports(file)), file


def test_a_markdown_worker_loads_nothing_of_the_server() -> None:
    """So a hostile text finds nothing there to read, and a worker starts in no time."""
    load = "import sys, chat.markdown.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert not {"django", "asyncio", "chat.models"} & set(done.stdout.split())
