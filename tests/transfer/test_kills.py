"""Kills at random moments leave no half file and no half conversation, and the next run completes."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.chaos.sizes import sizes
from tests.support.databases import fresh_database
from tests.support.processes import begin, environment, manage
from tests.transfer.samples import line, long_one, many

LEAST = 200_000
"""The bytes of half of the conversations."""


class Place:
    """A data directory on which commands work."""

    def __init__(self, data: Path, variables: dict[str, str]) -> None:
        self.variables = {"TALOS_DATA_DIR": str(data), **variables}

    def run(self, *arguments: str) -> None:
        done = manage(*arguments, **self.variables)
        assert done.returncode == 0, done.stderr

    def export(self, path: Path) -> bytes:
        self.run("export_history", f"--output={path}", "--force")
        return path.read_bytes()

    def kill_export(self, target: Path) -> None:
        """Export, killed at a random moment after it began its file."""
        command = begin("export_history", f"--output={target}", "--force", **self.variables)
        while command.poll() is None and not list(target.parent.glob(".talos-export-*")):
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.1))  # the moment of the kill is random
        command.kill()
        command.communicate()

    def kill_import(self, archive: bytes) -> None:
        """Import, killed at a random moment after most of the archive was read."""
        command = subprocess.Popen(
            [sys.executable, "manage.py", "import_history", "-"],
            cwd=settings.BASE_DIR,
            env=environment(**self.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        assert command.stdin is not None
        command.stdin.write(archive)  # more than a pipe holds: it is being read
        time.sleep(random.uniform(0, 0.3))  # as above
        command.kill()
        command.wait()
        with suppress(BrokenPipeError):
            command.stdin.close()

    def kill_when_half_here(self, archive: Path) -> None:
        """Import, killed at a random moment while it writes."""
        command = begin("import_history", str(archive), **self.variables)
        assert command.stdout is not None
        time.sleep(random.uniform(1, 4))  # as above: a start alone takes one
        command.kill()
        command.communicate()


@contextmanager
def place(data: Path) -> Iterator[Place]:
    with fresh_database(data) as variables:
        yield Place(data, variables)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of a hundred and fifty conversations."""
    (path := tmp_path / "archive.jsonl").write_bytes(many(150, text="word " * 200))
    return path


@pytest.mark.skipif(connection.vendor != "sqlite", reason="files are files")
@sizes("times", sample=1, full=20)
def test_a_killed_export_leaves_a_whole_file_or_none(
    archive: Path, tmp_path: Path, times: int
) -> None:
    whole = archive.read_bytes()
    (target := tmp_path / "target.jsonl").write_bytes(b"the one before")
    with place(tmp_path / "data") as there:
        there.run("import_history", str(archive))
        for _ in range(times):
            there.kill_export(target)
            assert target.read_bytes() in (b"the one before", whole)
        assert there.export(target) == whole
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert files == {"archive.jsonl", "target.jsonl"}


@sizes("times", sample=1, full=20)
def test_a_killed_import_leaves_whole_conversations_and_continues(
    archive: Path, tmp_path: Path, times: int
) -> None:
    lines = set(archive.read_bytes().splitlines())
    with place(tmp_path / "data") as there:
        whole = archive.read_bytes()
        for number in range(times):
            there.kill_import(whole[: max(len(whole) * (number + 1) // times, LEAST)])
            assert set(there.export(tmp_path / "so-far.jsonl").splitlines()) <= lines
        there.run("import_history", str(archive))
        assert there.export(tmp_path / "at-last.jsonl") == archive.read_bytes()


@sizes("times", sample=1, full=20)
@pytest.mark.parametrize("here", [0, 10])
def test_a_long_conversation_is_hidden_until_it_is_whole(
    tmp_path: Path, times: int, here: int
) -> None:
    """The same holds for new messages of an existing conversation."""
    (archive := tmp_path / "archive.jsonl").write_bytes(line(long_one(3000)))
    (first := tmp_path / "first.jsonl").write_bytes(line(long_one(here)) if here else b"")
    with place(tmp_path / "data") as there:
        if here:
            there.run("import_history", str(first))
        for _ in range(times):
            there.kill_when_half_here(archive)
            so_far = there.export(tmp_path / "so-far.jsonl")
            assert so_far in (first.read_bytes(), archive.read_bytes())
        there.run("import_history", str(archive))
        assert there.export(tmp_path / "at-last.jsonl") == archive.read_bytes()
        there.run("import_history", str(archive))  # "here already", which it is only if it is whole
