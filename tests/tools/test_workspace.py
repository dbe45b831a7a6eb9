"""Files in the workspace can be used, and nothing outside it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools.hostile import OWN, refused
from tools.core.declaration import ToolError
from tools.sandbox.workspace import MAX_LISTED, MAX_WRITTEN, Workspace


def test_written_content_is_read_back(root: Path) -> None:
    assert Workspace(root).write("a/b/c.txt", b"text") is True
    assert Workspace(root).read("a/b/c.txt", 100) == (b"text", 4)
    assert Workspace(root).write("./a//b/./c.txt", b"new") is False
    assert (root / "a/b/c.txt").read_bytes() == b"new"


def test_it_is_created_if_missing_and_private(tmp_path: Path) -> None:
    Workspace(tmp_path / "data" / "workspace").write("folder/file", b"text")
    assert stat.S_IMODE((tmp_path / "data" / "workspace").stat().st_mode) == 0o700
    assert (
        stat.S_IMODE((tmp_path / "data" / "workspace" / "folder" / "file").stat().st_mode) == 0o600
    )


def test_a_replaced_file_keeps_its_mode(root: Path) -> None:
    (root / "notes" / "own.txt").chmod(0o640)
    Workspace(root).write("notes/own.txt", b"new")
    assert stat.S_IMODE((root / "notes" / "own.txt").stat().st_mode) == 0o640


def test_a_read_is_bounded(root: Path) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(10**12)
    content, size = Workspace(root).read("sparse", 10)
    assert (len(content), size) == (10, 10**12)


def test_a_write_is_bounded(root: Path) -> None:
    with refused(root):
        Workspace(root).write("huge", b"x" * (MAX_WRITTEN + 1))


def test_a_failed_write_leaves_the_old_file_and_no_draft(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with refused(root):
        Workspace(root).write("notes/own.txt", b"new")
    assert os.listdir(root / "notes") == ["own.txt"]
    assert (root / "notes" / "own.txt").read_bytes() == OWN


def test_a_folder_lists_its_entries_sorted_by_name(root: Path) -> None:
    (root / "link").symlink_to("/")
    os.mkfifo(root / "pipe")
    (root / "b.txt").write_bytes(b"12")
    entries, is_cut = Workspace(root).entries("")
    assert [(entry.name, entry.kind) for entry in entries] == [
        ("b.txt", "file"), ("link", "link"), ("notes", "folder"), ("pipe", "pipe")
    ]  # fmt: skip
    assert not is_cut
    assert entries[0].size == 2
    assert [entry.name for entry in Workspace(root).entries("notes")[0]] == ["own.txt"]


def test_a_huge_folder_is_cut(root: Path) -> None:
    (root / "many").mkdir()
    for number in range(MAX_LISTED + 5):
        (root / "many" / str(number)).touch()
    entries, is_cut = Workspace(root).entries("many")
    assert (len(entries), is_cut) == (MAX_LISTED, True)


def test_no_descriptor_is_left_open(root: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("no /proc here")

    def opened() -> list[str]:
        targets = [os.path.realpath(link) for link in folder.iterdir()]
        return [target for target in targets if target.startswith(str(root.parent))]

    before = opened()
    for path in ("notes/own.txt", "missing/own.txt", "notes", "notes/own.txt/x"):
        with suppress(ToolError):
            Workspace(root).read(path, 10)
        with suppress(ToolError):
            Workspace(root).entries(path)
    assert opened() == before
