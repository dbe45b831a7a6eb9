"""`backup` writes a complete file or none; `restore` fills an empty data directory or leaves it empty."""

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
from pytest_django import Settings

from chat.db import configuration
from chat.management import postgresql
from chat.models import Audit
from chat.upkeep import backup
from chat.upkeep.backup.contents import contents
from tests.support.histories import make
from tests.support.processes import manage

pytestmark = pytest.mark.django_db(transaction=True)

if the_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    pytest.skip("SQLite only", allow_module_level=True)


@pytest.fixture
def data(tmp_path: Path, settings: Settings) -> Path:
    """The data directory, with a secret key and a workspace."""
    settings.DATA_DIR = tmp_path / "data"
    settings.WORKSPACE = settings.DATA_DIR / "workspace"
    (settings.WORKSPACE / "notes").mkdir(parents=True)
    (settings.WORKSPACE / "notes" / "über 🙂.txt").write_text("kept")
    (settings.WORKSPACE / "empty").mkdir()
    (settings.WORKSPACE / "outside").symlink_to("/etc/passwd")
    (settings.DATA_DIR / "secret_key").write_text("s" * 50)
    return tmp_path / "data"


@pytest.fixture
def empty(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory to restore into."""
    directory = tmp_path / "new"
    directory.mkdir()
    settings.DATA_DIR = directory
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", directory / "talos.sqlite3")
    return directory


@pytest.fixture
def made(data: Path, tmp_path: Path) -> Path:
    """A backup of two conversations."""
    make(2)
    backup.make(tmp_path / "talos.backup")
    return tmp_path / "talos.backup"


def query(file: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute(statement).fetchall()


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)


# --- making one ---------------------------------------------------------------------------------


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
        with pytest.raises(backup.BackupError, match="is no file"):
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

    monkeypatch.setattr("chat.upkeep.backup.write.settle", full)
    with pytest.raises(CommandError, match="No space left on device"):
        call_command("backup", str(tmp_path / "b"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.slow
def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    done = manage("backup", str(tmp_path / "b"), TALOS_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "There is nothing to back up yet" in done.stderr
    assert not (tmp_path / "data" / "talos.sqlite3").exists()


# --- restoring one ------------------------------------------------------------------------------


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
        (link, "no ordinary file"),
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
