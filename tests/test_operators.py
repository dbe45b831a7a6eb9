"""What whoever runs Talos is told: by real processes, in a sentence and without a secret."""

from __future__ import annotations

import gzip
import json
import os
import pty
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from shlex import quote

import pytest
from django.conf import settings
from django.db import OperationalError

from chat.db import configuration, reasons
from tests.databases import fresh_database
from tests.processes import SECONDS, Talos, begin, environment, manage

pytestmark = pytest.mark.slow
IS_SQLITE = not settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
sqlite_only = pytest.mark.skipif(not IS_SQLITE, reason="the same on both")
postgresql_only = pytest.mark.skipif(IS_SQLITE, reason="PostgreSQL's own words")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with some conversations."""
    data = tmp_path_factory.mktemp("place") / "data"
    with fresh_database(data):
        made = manage(
            "shell", "--no-imports", "-v0", "-c", "from tests.histories import make; make(300)",
            TALOS_DATA_DIR=str(data),
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
    return data


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# --- the database's reason ----------------------------------------------------------------------


@postgresql_only
@pytest.mark.parametrize("command", ["serve", "approvals", "migrate"])
@pytest.mark.parametrize(
    ("user", "rest", "words"),
    [
        ("nobody_here", "{name}", ['role "nobody_here" does not exist', "createuser"]),
        ("{user}", "no_such_one", ['database "no_such_one" does not exist', "createdb"]),
        ("{user}", "{name}?sslmode=require", ["SSL", "sslmode"]),
        ("{user}", "{name}?sslmode=bogus", ['"bogus"', "sslmode"]),
        ("{user}", "{name}?options=-c%20odd%3D1", ['parameter "odd"', "after the ?"]),
    ],
)
def test_postgresqls_reason_is_told_with_what_to_do(
    tmp_path: Path, collected: None, command: str, user: str, rest: str, words: list[str]
) -> None:
    database = settings.DATABASES["default"]
    names = {"user": database["USER"], "name": "postgres"}
    host = f"{database['HOST']}:{database['PORT'] or 5432}"
    url = f"postgres://{user.format(**names)}:hunter%402@{host}/{rest.format(**names)}"
    done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0", DATABASE_URL=url)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "hunter" not in done.stderr
    for part in ["The database cannot be used", *words]:
        assert part.replace("after", "follows") in done.stderr or part in done.stderr


@pytest.mark.parametrize("command", ["serve", "approvals", "export_history", "migrate"])
def test_a_server_that_is_away_is_named(tmp_path: Path, collected: None, command: str) -> None:
    url = "postgres://me:hunter2@127.0.0.1:1/talos"
    done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0", DATABASE_URL=url)
    assert done.returncode == 1
    for part in ("127.0.0.1", "port 1", "Connection refused", "Start PostgreSQL"):
        assert part in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://me:hunt/er2@db.example/talos", "%2F"),
        ("postgres://me:12/hunter2@db.example/talos", "%2F"),
        ("postgres://me:12#hunter2@db.example/talos", "%23"),
        ("postgres://me:12?hunter2@db.example/talos", "%3F"),
        ("postgres://me:hunter2@db.example/talos?sslmod=require", "did you mean sslmode?"),
        ("postgres://me:hunter2@db.example/talos?pool=5", "'pool'"),
    ],
)
def test_an_address_that_is_misread_is_refused_without_a_word_of_it(
    tmp_path: Path, url: str, words: str
) -> None:
    done = manage("approvals", TALOS_DATA_DIR=str(tmp_path), DATABASE_URL=url)
    assert done.returncode == 1
    assert words in done.stderr
    assert "er2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reason_has_no_password_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    database = configuration.postgresql("postgres://me:p%40ss%2Fw%20d@db.example/talos")
    monkeypatch.setattr(settings, "DATABASES", {"default": database})
    for said in ("p@ss/w d", "p%40ss%2Fw%20d", "p%40ss/w%20d", "p%40ss%2Fw+d"):
        told = reasons.reason(OperationalError(f'FATAL: "{said}" at postgres://me:{said}@db/talos'))
        assert "ss" not in told
        assert told.startswith('FATAL: "***"')


def test_what_cannot_be_opened_is_named_with_its_owner(tmp_path: Path, collected: None) -> None:
    (tmp_path / "talos.sqlite3").symlink_to(tmp_path / "nowhere" / "talos.sqlite3")
    for command in ("serve", "approvals", "migrate"):
        done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0")
        assert done.returncode == 1
        assert f"{tmp_path}/talos.sqlite3 (no such file or directory)" in done.stderr
        assert f"{tmp_path} (owner {tmp_path.owner()}, drwx------)" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_no_database_is_said_so(tmp_path: Path, collected: None) -> None:
    (tmp_path / "talos.sqlite3").write_text("something else " * 100)
    for command in ("serve", "approvals", "migrate"):
        done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0")
        assert done.returncode == 1
        assert "file is not a database" in done.stderr
        assert "Traceback" not in done.stderr


@sqlite_only
def test_no_command_works_on_a_database_of_a_newer_version(tmp_path: Path, place: Path) -> None:
    (tmp_path / "talos.sqlite3").write_bytes((place / "talos.sqlite3").read_bytes())
    with closing(sqlite3.connect(tmp_path / "talos.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations VALUES (999, 'chat', '0999_x', '2030-01-01')"
        )
    for command in (
        ("export_history",), ("import_history", "/dev/null"), ("approvals",),
        ("prune_history", "--older-than", "1d"), ("migrate", "-v0"),
    ):  # fmt: skip
        done = manage(*command, TALOS_DATA_DIR=str(tmp_path))
        assert done.returncode == 1, command
        assert "does not know chat.0999_x" in done.stderr
        assert done.stdout == ""


# --- settings -----------------------------------------------------------------------------------


def test_a_variable_that_is_none_is_told_of_and_keeps_nobody_from_starting(talos: Talos) -> None:
    talos.start(TALOS_DATADIR="/x", TALOS_ZZZ="1", TALOS_APPROVAL_DAYS="3")
    status, errors = talos.stop()
    assert status == 0
    assert "TALOS_DATADIR is set, but there is no such variable" in errors
    assert "Did you mean TALOS_DATA_DIR?" in errors
    assert "TALOS_ZZZ is set" in errors
    assert "APPROVAL" not in errors


def test_a_default_model_that_nothing_offers_is_told_of(talos: Talos) -> None:
    talos.start(TALOS_DEFAULT_MODEL="demmo")
    line = talos.said("20")
    assert "TALOS_DEFAULT_MODEL names 'demmo', which nothing here offers" in line
    assert "Did you mean demo?" in line


def test_this_machines_names_stay_allowed_and_others_are_warned_of(talos: Talos) -> None:
    address = talos.start(TALOS_ALLOWED_HOSTS="talos.example.com")
    for host, status in [
        ("127.0.0.1", "200"),
        ("localhost", "200"),
        ("talos.example.com", "200"),
        ("x.example.com", "400"),
    ]:
        asked = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {host}"]
        assert subprocess.check_output([*asked, f"{address}/healthz"], text=True) == status
    errors = talos.stop()[1]
    assert "TALOS_ALLOWED_HOSTS has talos.example.com: anyone who reaches this server" in errors
    assert "is the owner and the admin" in errors


# --- signals ------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_ends_a_command_in_one_line(
    place: Path, tmp_path: Path, signum: signal.Signals
) -> None:
    for number in range(8):
        target = tmp_path / f"export{number}"
        command = subprocess.Popen(
            [
                sys.executable,
                "manage.py",
                "export_history",
                *(["-o", str(target)] if number % 2 else []),
            ],
            cwd=settings.BASE_DIR,
            env=environment(TALOS_DATA_DIR=str(place)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert command.stderr is not None
        while not is_ours(command.pid):
            time.sleep(0.001)
        time.sleep(random.uniform(0, 2))
        for _ in range(2):  # a terminal and make tell it twice
            command.send_signal(signum)
        errors = command.communicate(timeout=SECONDS)[1]
        assert command.returncode in (128 + signum, 0)
        assert len(errors.splitlines()) == (command.returncode != 0)
        assert errors.startswith(("Stopped.", "CommandError: Stopped.")) or not errors
        assert hidden(tmp_path) == []


def is_ours(pid: int) -> bool:
    """Whether Python has come so far that it takes the signal."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) & 1 << (signal.SIGTERM - 1))
    return False


@sqlite_only
@pytest.mark.parametrize("command", ["export_history --output", "backup"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_file_leaves_none(
    place: Path, tmp_path: Path, command: str, signum: signal.Signals
) -> None:
    running = begin(*command.split(), str(tmp_path / "target"), TALOS_DATA_DIR=str(place))
    while running.poll() is None and not hidden(tmp_path):
        time.sleep(0.0005)
    running.send_signal(signum)
    errors = running.communicate(timeout=SECONDS)[1]
    assert hidden(tmp_path) == []
    if running.returncode:  # else it was quicker
        assert running.returncode == 128 + signum
        assert errors.startswith("CommandError: Stopped.")
        assert len(errors.splitlines()) == 1
        assert not (tmp_path / "target").exists()


_COME = "import os, signal, time; come = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"


@sqlite_only
@pytest.mark.parametrize(
    "where",
    [
        "class A: __del__ = come\nA()\ntime.sleep(60)",  # in an object's end
        "import orjson; orjson.dumps(come, come)",  # in a callback, of which a library makes an error
        "import tempfile; tempfile.SpooledTemporaryFile.__init__ = come; tempfile.SpooledTemporaryFile()",
    ],
)
def test_a_signal_is_not_lost_where_no_exception_can_leave(place: Path, where: str) -> None:
    done = manage("shell", "--no-imports", "-v0", "-c", _COME + where, TALOS_DATA_DIR=str(place))
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "Stopped.\n")


# --- outputs ------------------------------------------------------------------------------------


def in_shell(place: Path, script: str) -> subprocess.CompletedProcess[str]:
    """`manage` stands for `manage.py`."""
    return subprocess.run(
        ["bash", "-c", f'manage() {{ exec {quote(sys.executable)} manage.py "$@"; }}; {script}'],
        cwd=settings.BASE_DIR,
        env=_unmeasured(environment(TALOS_DATA_DIR=str(place))),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def noted(tmp_path: Path) -> str:
    """A file of whose conversations an import has something to say."""
    mapping = {"a": {"id": "a", "parent": None, "message": None}}
    chats = [{"title": f"{n}", "id": f"{n}", "mapping": mapping} for n in range(3)]
    (path := tmp_path / "noted.json").write_text(json.dumps(chats))
    return str(path)


@sqlite_only
@pytest.mark.parametrize("command", ["export_history", "tools", "help", "import"])
def test_a_closed_pipe_is_quiet_and_ends_as_with_other_programs(
    place: Path, noted: str, command: str
) -> None:
    if command == "import":
        command = f"import_history --dry-run {noted}"
    done = in_shell(place, f"manage {command} | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("141\n", "")


@sqlite_only
def test_trouble_with_the_output_is_not_the_files(place: Path, noted: str) -> None:
    done = in_shell(place, f"manage import_history --dry-run {noted} > /dev/full")
    assert done.returncode == 1
    assert done.stderr == "The output cannot be written: No space left on device.\n"


@sqlite_only
@pytest.mark.parametrize("command", ["approvals", "export_history"])
def test_streams_may_be_closed(place: Path, command: str) -> None:
    for closed in (">&-", ">&- 2>&-"):
        done = in_shell(place, f"manage {command} {closed}")
        assert (done.returncode, done.stderr) == (0, ""), closed


@sqlite_only
def test_a_question_that_nobody_answers_is_no_traceback(place: Path) -> None:
    done = in_shell(place, "manage flush < /dev/null")
    assert done.returncode == 1
    assert "no input to read one from" in done.stderr
    assert "Traceback" not in done.stderr


@sqlite_only
def test_an_export_is_compressed_where_its_name_says_so(place: Path, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.gz", "c.jsonl.gz", "d.json.gz"):
        done = manage("export_history", "-o", str(tmp_path / name), TALOS_DATA_DIR=str(place))
        assert done.returncode == 0, done.stderr
    plain = (tmp_path / "a.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "b.gz").read_bytes()) == plain
    assert (tmp_path / "c.jsonl.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    document = gzip.decompress((tmp_path / "d.json.gz").read_bytes())
    assert document.startswith(b'{"format":"talos-history"')


@sqlite_only
@pytest.mark.parametrize("name", ["x.zip", "x.jsonl.ZIP", "x.tar.gz", "x.csv", "x.html.gz"])
def test_what_cannot_be_written_is_refused_with_what_can(
    place: Path, tmp_path: Path, name: str
) -> None:
    done = manage("export_history", "-o", str(tmp_path / name), TALOS_DATA_DIR=str(place))
    assert done.returncode == 1
    assert ".jsonl, .json or .md" in done.stderr
    assert list(tmp_path.iterdir()) == []


def _unmeasured(variables: dict[str, str]) -> dict[str, str]:
    """Without coverage, which would write to the full disk, too."""
    return {name: value for name, value in variables.items() if not name.startswith("COVERAGE")}


@sqlite_only
def test_a_full_disk_tells_how_much_was_done(place: Path, tmp_path: Path) -> None:
    """A limit on the size of files is as a disk that is full."""
    for command in (f"export_history -o {tmp_path}/a", f"backup {tmp_path}/b"):
        done = in_shell(place, f"ulimit -f 400; trap '' XFSZ; manage {command}")
        assert done.returncode == 1
        assert " of " in done.stderr
        assert "nothing of them is kept" in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@sqlite_only
def test_what_cannot_be_written_or_read_is_named(place: Path, tmp_path: Path) -> None:
    """And not the other file."""
    made, new = tmp_path / "made", tmp_path / "new"
    assert manage("backup", str(made), TALOS_DATA_DIR=str(place)).returncode == 0
    done = in_shell(new, f"ulimit -f 400; trap '' XFSZ; manage restore {made}")
    assert f"{new} cannot be written: the disk is full." in done.stderr
    assert "nothing of them is kept" in done.stderr
    assert not (new / "talos.sqlite3").exists()
    assert manage("restore", str(made), TALOS_DATA_DIR=str(new)).returncode == 0
    (database := new / "talos.sqlite3").write_bytes(b"no database" * 1000)
    done = in_shell(new, f"manage backup {tmp_path}/again")
    assert f"{database}: file is not a database." in done.stderr


@sqlite_only
def test_a_backup_says_on_a_terminal_how_far_it_is(place: Path, tmp_path: Path) -> None:
    (place / "workspace").mkdir(exist_ok=True)
    (place / "workspace" / "large").write_bytes(b"x" * 100_000_000)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(tmp_path / "b")],
        cwd=settings.BASE_DIR,
        env=environment(TALOS_DATA_DIR=str(place)),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    (place / "workspace" / "large").unlink()
    assert running.wait(SECONDS) == 0
    assert b" MB copied" in said
    assert said.endswith(b"\r\x1b[K")
