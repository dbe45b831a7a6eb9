"""`restore` fills an empty data directory or leaves it empty."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings as the_settings
from django.core.management import CommandError, call_command

from tests.support.processes import manage
from tests.upkeep.backups import change, data, empty, made, query

__all__ = ["data", "empty", "made"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)

if the_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    pytest.skip("SQLite only", allow_module_level=True)


def restored(file: Path, directory: Path) -> str:
    done = manage("restore", str(file), TALOS_DATA_DIR=str(directory))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_restore_brings_everything_back(made: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    said = restored(made, new)
    assert "2 conversations with 8 messages" in said
    assert "1 workspace file and the secret key" in said
    assert (new / "workspace" / "notes" / "über 🙂.txt").read_text() == "kept"
    assert (new / "workspace" / "empty").is_dir()
    assert (new / "secret_key").read_text() == "s" * 50
    database = new / "talos.sqlite3"
    for table in ("chat_conversation", "chat_message", "chat_turn", "chat_toolcall"):
        everything = f"SELECT * FROM {table} ORDER BY 1"  # noqa: S608  # our own names
        assert query(database, everything) == query(made, everything)
    assert query(database, "SELECT 1 FROM sqlite_master WHERE name = 'sqlar'") == []
    assert query(database, "PRAGMA auto_vacuum") == [(2,)]
    assert query(database, "SELECT action FROM chat_audit") == [("restore",)]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (database, new / "secret_key")}
    assert modes == {0o600}


@pytest.mark.slow
def test_a_plain_copy_of_the_database_can_be_restored(made: Path, tmp_path: Path) -> None:
    """The copy is in WAL mode, as on the server, with rows that are only in its WAL."""
    copy = tmp_path / "copy"
    copy.write_bytes(made.read_bytes())
    change(copy, "DROP TABLE sqlar")
    with closing(sqlite3.connect(copy)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE chat_conversation SET title = 'in the WAL'")
        writer.commit()
        restored(copy, tmp_path / "new")
    titles = query(tmp_path / "new" / "talos.sqlite3", "SELECT title FROM chat_conversation")
    assert titles == [("in the WAL",)] * 2


def no_database(file: Path) -> None:
    file.write_bytes(b"SQL dump of something")


def empty_file(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def overwritten(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"\xff" * 20_000)


def somebody_elses(file: Path) -> None:
    file.unlink()
    change(file, "CREATE TABLE bookmarks (url)")


def newer(file: Path) -> None:
    change(file, "INSERT INTO django_migrations VALUES (999, 'chat', '0999_future', '2030-01-01')")


def dangling(file: Path) -> None:
    change(file, "UPDATE chat_message SET owner_id = 4711")


def climbing(file: Path) -> None:
    change(file, "UPDATE sqlar SET name = 'workspace/../../x' WHERE name LIKE '%txt'")


def rooted(file: Path) -> None:
    change(file, "UPDATE sqlar SET name = '/tmp/x' WHERE name LIKE '%txt'")


def beside(file: Path) -> None:
    change(file, "UPDATE sqlar SET name = 'talos.lock' WHERE name LIKE '%txt'")


def link(file: Path) -> None:
    change(file, "UPDATE sqlar SET mode = 41471 WHERE name LIKE '%txt'")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_database, "not an SQLite database"),
        (empty_file, "not an SQLite database"),
        (cut, "malformed|damaged"),
        (overwritten, "malformed|damaged"),
        (somebody_elses, "not a Talos database"),
        (newer, "newer version of Talos: chat.0999_future"),
        (dangling, "damaged"),
        (climbing, "not a Talos backup"),
        (rooted, "not a Talos backup"),
        (beside, "not a Talos backup"),
        (link, "not an ordinary file"),
    ],
)
def test_a_bad_file_is_refused_and_leaves_nothing(
    made: Path, empty: Path, damage: object, words: str
) -> None:
    damage(made)  # type: ignore[operator]  # one of the functions above
    before = made.read_bytes()
    with pytest.raises(CommandError, match=words):
        call_command("restore", str(made))
    assert made.read_bytes() == before
    assert {path.name for path in empty.iterdir()} <= {"talos.lock", "secret_key"}
    assert not (empty.parent / "x").exists()


def test_a_missing_file_is_named(empty: Path) -> None:
    with pytest.raises(CommandError, match="nowhere: No such file"):
        call_command("restore", str(empty / "nowhere"))


@pytest.mark.parametrize("there", ["talos.sqlite3", "workspace/mine.txt"])
def test_nothing_is_overwritten(made: Path, empty: Path, there: str) -> None:
    (empty / there).parent.mkdir(exist_ok=True)
    (empty / there).write_text("mine")
    with pytest.raises(CommandError, match="a restore overwrites nothing"):
        call_command("restore", str(made))
    assert (empty / there).read_text() == "mine"


@pytest.mark.slow
def test_an_empty_database_file_does_not_count(made: Path, empty: Path) -> None:
    looked = manage("export_history", TALOS_DATA_DIR=str(empty))
    assert looked.returncode == 1
    assert (empty / "talos.sqlite3").exists()
    done = manage("restore", str(made), TALOS_DATA_DIR=str(empty))
    assert done.returncode == 0, done.stderr
    there = manage("export_history", TALOS_DATA_DIR=str(empty))
    assert there.stdout.count("\n") == 2


def test_a_server_that_has_the_directory_keeps_it(made: Path, empty: Path) -> None:
    import fcntl

    with (empty / "talos.lock").open("w") as server:
        fcntl.flock(server, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="Another Talos server uses"):
            call_command("restore", str(made))
    assert not (empty / "talos.sqlite3").exists()


@pytest.mark.slow
def test_a_restore_after_a_killed_one_completes(made: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    (new / "workspace").mkdir(parents=True)
    (new / "workspace" / "half").write_text("of a killed restore")
    (new / ".talos.sqlite3.part").write_text("half a file")
    restored(made, new)
    assert sorted(path.name for path in new.iterdir()) == [
        "secret_key", "talos.lock", "talos.sqlite3", "workspace",
    ]  # fmt: skip
