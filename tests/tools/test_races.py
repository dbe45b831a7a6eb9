"""A change between a check and its use opens no way out of the workspace."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.tools.hostile import OWN, outside
from tools.core.declaration import ToolError
from tools.sandbox.workspace import Workspace


@contextmanager
def swapping(place: Path, outside: Path) -> Iterator[None]:
    """Swap a place continually between our own file and a link to the outside."""
    over = threading.Event()
    aside = place.with_name("aside")

    def swap() -> None:
        while not over.is_set():
            with suppress(OSError):  # the tool has created something there meanwhile
                place.rename(aside)
            with suppress(OSError):
                place.symlink_to(outside)
            with suppress(OSError):
                place.unlink() if place.is_symlink() else shutil.rmtree(place)
            with suppress(OSError):
                aside.rename(place)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("swapped", "target", "path"),
    [("notes", ".", "notes/secret.txt"), ("file", "secret.txt", "file")],
    ids=["a folder on the way", "the file itself"],
)
def test_a_link_made_between_check_and_use_leads_nowhere(
    root: Path, swapped: str, target: str, path: str
) -> None:
    (root / "file").write_bytes(OWN)
    (root / "notes" / "secret.txt").write_bytes(OWN)
    workspace = Workspace(root)
    before = outside(root)
    read = set()
    with swapping(root / swapped, root.parent / target):
        for _ in range(500):
            with suppress(ToolError):
                read.add(workspace.read(path, 100)[0])
            with suppress(ToolError):
                workspace.write(path, OWN)
            with suppress(ToolError):
                names = [entry.name for entry in workspace.entries("notes")[0]]
                assert "workspace-2" not in names
    assert outside(root) == before
    assert read <= {OWN}
