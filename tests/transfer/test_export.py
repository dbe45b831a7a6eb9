"""`manage.py export_history`: what is exported where, completely or not at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from shlex import quote
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from chat.access.owner import local_owner
from chat.models import Conversation, Message, OpaquePart, Piece, Turn
from chat.transfer.archive import rows
from chat.transfer.archive.encoders import moment
from tests.support import histories
from tests.support.conversations import talk
from tests.support.databases import fresh_database
from tests.support.processes import environment, manage
from tests.transfer.conftest import Export, Imports
from tests.transfer.samples import first_version, line, sample

pytestmark = pytest.mark.django_db


def titles(archive: bytes) -> list[str]:
    return [json.loads(line)["title"] for line in archive.splitlines()]


# --- which ones ---------------------------------------------------------------------------------


def test_all_with_messages_are_exported_oldest_first(exported: Export) -> None:
    histories.make(3, messages=1)
    Conversation.objects.create(owner=local_owner(), title="Empty")
    assert titles(exported()) == ["Chat 2", "Chat 1", "Chat 0"]


def test_one_or_some_by_id(exported: Export) -> None:
    made = histories.make(3, messages=1)
    assert titles(exported(id=[str(made[1].pk)])) == ["Chat 1"]
    assert titles(exported(id=[str(made[0].pk), made[2].pk.hex])) == ["Chat 2", "Chat 0"]
    for unknown in (str(uuid4()), "x", ""):
        with pytest.raises(CommandError, match=r"no conversation|not a conversation"):
            exported(id=[unknown])


def test_only_one_users(exported: Export) -> None:
    ada = User.objects.create(username="ada")
    histories.make(1, messages=1, owner=ada)
    talk(local_owner(), "Hi", title="Mine")
    assert titles(exported(user="ada")) == ["Chat 0"]
    assert titles(exported(user="owner")) == ["Mine"]
    with pytest.raises(CommandError, match="no user 'nobody'"):
        exported(user="nobody")


def test_a_period_is_of_days_in_which_they_were_last_used(exported: Export) -> None:
    for day in (1, 2, 3):
        (made,) = histories.make(1, messages=1)
        used = datetime(2026, 5, day, 12, tzinfo=UTC)
        Conversation.objects.filter(pk=made.pk).update(updated_at=used, title=f"Day {day}")
    assert set(titles(exported(since="2026-05-02"))) == {"Day 2", "Day 3"}
    assert set(titles(exported(until="2026-05-02"))) == {"Day 1", "Day 2"}
    assert titles(exported(since="2026-05-02", until="2026-05-02")) == ["Day 2"]
    assert titles(exported(since="2026-05-01T13:00Z", until="2026-05-02T12:00+00:00")) == []
    for wrong in ("yesterday", "2026-02-30", "9999-12-31"):
        with pytest.raises(CommandError, match="not a date"):
            exported(until=wrong)


def test_archived_or_not(exported: Export) -> None:
    talk(local_owner(), "Hi", title="Here")
    talk(local_owner(), "Hi", title="Away")
    Conversation.objects.filter(title="Away").update(archived=True)
    assert titles(exported(archived=True)) == ["Away"]
    assert titles(exported(archived=False)) == ["Here"]
    assert len(titles(exported())) == 2


# --- what is in it ------------------------------------------------------------------------------


@pytest.mark.promise(3)
def test_a_live_answer_is_written_as_far_as_it_is(exported: Export) -> None:
    talk(local_owner(), "Hi", "")
    Turn.objects.update(status="running")
    Piece.objects.create(turn=Turn.objects.get(), seq=2, text="Half of ")
    Piece.objects.create(turn=Turn.objects.get(), seq=3, text="it")
    Piece.objects.create(turn=Turn.objects.get(), seq=3, text="Hm.", thought=1)
    answer = json.loads(exported())["messages"][1]
    assert (answer["content"], answer["reasoning"]) == ("Half of it", "Hm.")
    assert answer["turn"]["status"] == "running"


def test_the_same_rows_make_the_same_bytes_however_much_is_read_at_once(
    exported: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = histories.make(5, messages=9)
    Message.objects.update(created_at=made[0].created_at)  # then the id says
    whole = exported()
    for name, value in [("CHARACTERS", 1), ("CHARACTERS", 450), ("MESSAGES", 2)]:
        with monkeypatch.context() as patch:
            patch.setattr(rows, f"GROUP_{name}", value)
            patch.setattr(rows, "GROUP_IDS", 4)
            assert exported() == whole


def test_only_a_part_of_a_long_conversation_is_held_in_memory() -> None:
    (made,) = histories.make(1, messages=60, text="x" * 100_000)
    (stored,) = rows.conversations([made.pk])
    assert stored.is_long
    assert not any("content" in said for said in stored.outline)
    assert sum(len(message["content"]) for message in stored.load(stored.outline)) == 6_000_000


def test_opaque_parts_count_as_text() -> None:
    (made,) = histories.make(1, messages=4)
    answers = Message.objects.filter(conversation=made, role="assistant")
    OpaquePart.objects.bulk_create(
        OpaquePart(message=answer, round=0, kind="k", source="s", data="x" * 2_000_000)
        for answer in answers
    )
    (stored,) = rows.conversations([made.pk])
    assert stored.is_long
    assert sum(message["size"] for message in stored.outline) > 4_000_000
    assert [len(message["opaque"]) for message in stored.load(stored.outline)] == [0, 1, 0, 1]


def test_times_are_in_utc_with_microseconds() -> None:
    assert moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"


def test_json_holds_the_same_objects_in_one_document(exported: Export) -> None:
    histories.make(3)
    lines = [json.loads(line) for line in exported(format="jsonl").splitlines()]
    document = json.loads(exported(format="json"))
    assert document == {"format": "talos-history", "version": 2, "conversations": lines}


@pytest.mark.parametrize(
    ("form", "empty"),
    [
        ("jsonl", b""),
        ("json", b'{"format":"talos-history","version":2,"conversations":[\n\n]}\n'),
        ("markdown", b""),
    ],
)
def test_an_empty_export(exported: Export, form: str, empty: bytes) -> None:
    assert exported(format=form) == empty


# --- in version 1 -------------------------------------------------------------------------------


def test_version_1_reports_what_it_leaves_out(imported: Imports, exported: Export) -> None:
    imported(line(sample()))
    err = StringIO()
    assert exported(format_version=1, stderr=err) == line(first_version(sample()))
    assert err.getvalue() == (
        "Left out, because version 1 has no keys for it: 1 tool setting, 1 error detail, 1 note, "
        "1 context size, 1 context window, 3 opaque parts\n"
    )
    document = exported(format="json", format_version=1, stderr=err)
    head, conversation, _ = document.split(b"\n", 2)
    assert head == b'{"format":"talos-history","version":1,"conversations":['
    assert conversation + b"\n" == line(first_version(sample()))


def test_nothing_is_reported_if_nothing_is_left_out(imported: Imports, exported: Export) -> None:
    imported(line(first_version(sample())))
    err = StringIO()
    assert exported(format_version=1, stderr=err) == line(first_version(sample()))
    assert err.getvalue() == ""


def test_what_a_stream_leaves_out_is_reported_on_stderr(imported: Imports) -> None:
    imported(line(sample()))
    out, err = StringIO(), StringIO()
    call_command("export_history", format_version=1, stdout=out, stderr=err)
    assert out.getvalue().encode() == line(first_version(sample()))
    assert "3 opaque parts" in err.getvalue()


def test_markdown_has_no_versions(exported: Export) -> None:
    with pytest.raises(CommandError, match="Markdown has no versions"):
        exported(format="markdown", format_version=1)


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
