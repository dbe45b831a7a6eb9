"""`backup` writes a complete file or none."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings as the_settings
from django.core.management import CommandError, call_command
from django.db import connection

from chat.db import configuration
from chat.management import postgresql
from chat.models import Audit
from chat.upkeep import backup
from chat.upkeep.backup.contents import contents
from tests.support.histories import make
from tests.support.processes import manage
from tests.upkeep.backups import change, data, made, query

__all__ = ["data", "made"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)

if the_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    pytest.skip("SQLite only", allow_module_level=True)


def test_a_backup_is_a_database_that_only_its_owner_can_read(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert query(made, "SELECT count(*) FROM chat_message") == [(8,)]
    assert query(made, "PRAGMA integrity_check") == [("ok",)]
    assert Audit.objects.get().action == "backup"
    assert sorted(path.name for path in made.parent.iterdir()) == ["data", "talos.backup"]


def test_a_backup_includes_files_but_not_targets_of_links(made: Path) -> None:
    files = query(made, "SELECT name, data FROM sqlar WHERE data IS NOT NULL")
    assert files == [("secret_key", b"s" * 50), ("workspace/notes/über 🙂.txt", b"kept")]


def test_the_command_says_what_is_included_and_what_is_not(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(1)
    call_command("backup", str(tmp_path / "b"), "--without-workspace")
    said = capsys.readouterr().out
    assert "1 conversation with 4 messages" in said
    assert "checked" in said
    assert (
        "Not included: .env and the environment, the keys of model providers, the workspace."
        in said
    )


def test_hidden_conversations_are_not_counted(made: Path) -> None:
    change(
        made,
        "UPDATE chat_conversation SET hidden = 'leaving'"
        " WHERE id = (SELECT min(id) FROM chat_conversation)",
    )
    with closing(sqlite3.connect(made)) as database:
        found = contents(database, made)
    assert (found.conversations, found.messages) == (1, 4)
    change(
        made,
        "DROP INDEX conversation_hidden",
        "ALTER TABLE chat_conversation RENAME COLUMN hidden TO older",
    )
    with closing(sqlite3.connect(made)) as database:
        assert contents(database, made).conversations == 2


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("taken", "add --force"),
        ("", "is a directory"),
        ("nowhere/b", "does not exist"),
        ("data/workspace/b", "is in the workspace"),
        ("x" * 300, "is not a path"),
        ("\udcff", "is not a path"),
    ],
)
def test_an_impossible_target_is_refused(
    data: Path, tmp_path: Path, target: str, words: str
) -> None:
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(CommandError, match=words):
        call_command("backup", str(tmp_path / target))
    assert (tmp_path / "taken").read_text() == "precious"


def test_with_force_a_file_is_overwritten_but_never_the_database(made: Path) -> None:
    backup.make(made, force=True)
    database = Path(str(connection.settings_dict["NAME"]))
    with pytest.raises(backup.BackupError, match="is the database itself"):
        backup.make(database, force=True)


def test_force_only_overwrites_files(data: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("pipe", "link"):
        with pytest.raises(backup.BackupError, match="is not a file"):
            backup.make(tmp_path / name, force=True)
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_an_unknown_home_is_explained(command: str) -> None:
    with pytest.raises(CommandError, match="is not a path"):
        call_command(command, "~nobody-of-this-name/x")


def test_two_backups_to_one_file_do_not_collide(data: Path, tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / ".b.part").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(backup.BackupError, match="Another backup"):
            backup.make(tmp_path / "b")


def test_remains_of_a_killed_backup_do_no_harm(data: Path, tmp_path: Path) -> None:
    (tmp_path / ".b.part").write_bytes(b"half a file")
    (tmp_path / ".b.part-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 600)
    backup.make(tmp_path / "b")
    assert query(tmp_path / "b", "PRAGMA integrity_check") == [("ok",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "data"]


def test_a_stopped_backup_leaves_nothing(data: Path, tmp_path: Path) -> None:
    make(200)
    with pytest.raises(backup.Stopped):
        backup.make(tmp_path / "b", stop=lambda: True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_full_disk_is_explained(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "b"))

    monkeypatch.setattr("chat.upkeep.backup.write.publish_draft", full)
    with pytest.raises(CommandError, match="No space left on device"):
        call_command("backup", str(tmp_path / "b"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.slow
def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    done = manage("backup", str(tmp_path / "b"), TALOS_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "There is nothing to back up yet" in done.stderr
    assert not (tmp_path / "data" / "talos.sqlite3").exists()


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_on_postgresql_they_name_its_tools_without_a_secret(tmp_path: Path) -> None:
    done = manage(
        "backup",
        str(tmp_path / "b"),
        TALOS_DATA_DIR=str(tmp_path),
        DATABASE_URL="postgres://me:hunter2@127.0.0.1:1/talos?sslmode=require",
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pg_dump" in done.stderr
    assert "postgresql://me@127.0.0.1:1/talos?sslmode=require" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgres://localhost/talos", "postgresql://localhost/talos"),
        ("postgres:///talos", "postgresql:///talos"),
        (
            "postgres://a%40b:x%2Fy@[::1]:5433/my%20chats",
            "postgresql://a%40b@[::1]:5433/my%20chats",
        ),
        ("postgres://me@h/d?password=x&sslmode=prefer", "postgresql://me@h/d?sslmode=prefer"),
    ],
)
def test_addresses(monkeypatch: pytest.MonkeyPatch, given: str, shown: str) -> None:
    monkeypatch.setitem(the_settings.DATABASES, "default", configuration.postgresql(given))
    assert postgresql.url() == shown
