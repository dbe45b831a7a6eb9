"""`manage.py export_history`: where it writes, completely or not at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from shlex import quote

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from chat.access.owner import local_owner
from tests.support import histories
from tests.support.conversations import talk
from tests.support.databases import fresh_database
from tests.support.processes import environment, manage
from tests.transfer.conftest import Export
from tests.transfer.samples import titles

pytestmark = pytest.mark.django_db


# --- where to -----------------------------------------------------------------------------------


def test_without_a_path_only_the_export_goes_to_standard_output(
    exported: Export,
) -> None:
    histories.make(2, text="naïve ☃ " * 60_000)
    out, err = StringIO(), StringIO()
    call_command("export_history", stdout=out, stderr=err)
    assert out.getvalue().encode() == exported()
    assert err.getvalue() == ""


def test_the_ending_of_a_file_chooses_its_format(tmp_path: Path) -> None:
    talk(local_owner(), "Hi", title="A title")
    for name, begin in [("a.json", '{"format"'), ("a.md", "# A title"), ("a.x", '{"format"')]:
        call_command("export_history", output=str(tmp_path / name), stdout=StringIO())
        assert (tmp_path / name).read_text().startswith(begin)


def test_a_file_is_private(tmp_path: Path) -> None:
    call_command("export_history", output=str(tmp_path / "a"), stdout=StringIO())
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    talk(local_owner(), "Hi", title="New")
    (tmp_path / "a").write_text("old")
    with pytest.raises(CommandError, match=r"exists already.*--force"):
        call_command("export_history", output=str(tmp_path / "a"))
    assert (tmp_path / "a").read_text() == "old"
    call_command("export_history", output=str(tmp_path / "a"), force=True, stdout=StringIO())
    assert titles((tmp_path / "a").read_bytes()) == ["New"]


def test_a_symbolic_link_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    call_command("export_history", output=str(tmp_path / "link"), force=True, stdout=StringIO())
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b""


def test_a_path_that_is_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path / "no" / "such", Path("/proc/x")):
        with pytest.raises(CommandError, match=str(place.name)):
            call_command("export_history", output=str(place), force=True)


def test_a_folder_gets_a_file_for_each_whatever_their_titles(tmp_path: Path) -> None:
    for title in ("../../etc/passwd", "", "a/b\\c:*?", "\u202eevil\n", "é" * 200, "Same", "Same"):
        talk(local_owner(), "Hi", title=title)
    call_command("export_history", output=f"{tmp_path}/new/", stdout=StringIO())
    files = list((tmp_path / "new").iterdir())
    assert len(files) == 7
    for file in files:
        (line,) = file.read_bytes().splitlines()
        assert file.name.endswith(f"-{json.loads(line)['id']}.jsonl")
        assert file.name.isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_folder_with_files_is_left_alone_without_force(tmp_path: Path) -> None:
    talk(local_owner(), "Hi")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="has files in it"):
        call_command("export_history", output=str(tmp_path))
    call_command("export_history", output=str(tmp_path), force=True, stdout=StringIO())
    assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("place", ["a", "b/"])
def test_a_failed_export_leaves_nothing(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories.make(3)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("export_history", output=f"{tmp_path}/{place}")
    assert list(tmp_path.iterdir()) == []


# --- as a process -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="a pipe is a pipe")
def test_a_reader_that_stops_early_is_not_an_error(tmp_path: Path) -> None:
    with fresh_database(tmp_path / "data") as variables:
        done = subprocess.run(
            ["sh", "-c", f"{quote(sys.executable)} manage.py export_history --format json | true"],
            cwd=settings.BASE_DIR,
            env=environment(TALOS_DATA_DIR=str(tmp_path / "data"), **variables),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""


def test_a_full_output_is_explained(tmp_path: Path) -> None:
    with fresh_database(tmp_path / "data") as variables, Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "manage.py", "export_history", "--format", "json"],
            cwd=settings.BASE_DIR,
            env=environment(TALOS_DATA_DIR=str(tmp_path / "data"), **variables),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "CommandError: The output cannot be written: No space left on device."
    )


def test_an_unprepared_database_is_explained(tmp_path: Path) -> None:
    done = manage("export_history", TALOS_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "manage.py migrate" in done.stderr
