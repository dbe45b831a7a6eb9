"""Commands as processes: signals, closed or full outputs, and unsupported files are handled cleanly."""

from __future__ import annotations

import gzip
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from shlex import quote

import pytest
from django.conf import settings

from tests.site.operators import hidden, place, sqlite_only
from tests.support.processes import SECONDS, begin, environment, manage

__all__ = ["place"]  # a fixture
pytestmark = pytest.mark.slow


# --- signals ------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_with_one_line(
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
        while not is_ready(command.pid):
            time.sleep(0.001)
        time.sleep(random.uniform(0, 2))
        for _ in range(2):  # a terminal and make both signal
            command.send_signal(signum)
        errors = command.communicate(timeout=SECONDS)[1]
        assert command.returncode in (128 + signum, 0)
        assert len(errors.splitlines()) == (command.returncode != 0)
        assert errors.startswith(("Stopped.", "CommandError: Stopped.")) or not errors
        assert hidden(tmp_path) == []


def is_ready(pid: int) -> bool:
    """Whether Python has started far enough to handle the signal."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) & 1 << (signal.SIGTERM - 1))
    return False


@sqlite_only
@pytest.mark.parametrize("command", ["export_history --output", "backup"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_write_leaves_no_file(
    place: Path, tmp_path: Path, command: str, signum: signal.Signals
) -> None:
    running = begin(*command.split(), str(tmp_path / "target"), TALOS_DATA_DIR=str(place))
    while running.poll() is None and not hidden(tmp_path):
        time.sleep(0.0005)
    running.send_signal(signum)
    errors = running.communicate(timeout=SECONDS)[1]
    assert hidden(tmp_path) == []
    if running.returncode:  # otherwise it had finished
        assert running.returncode == 128 + signum
        assert errors.startswith("CommandError: Stopped.")
        assert len(errors.splitlines()) == 1
        assert not (tmp_path / "target").exists()


_COME = "import os, signal, time; come = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"


@sqlite_only
@pytest.mark.parametrize(
    "where",
    [
        "class A: __del__ = come\nA()\ntime.sleep(60)",  # in an object's `__del__`
        "import orjson; orjson.dumps(come, come)",  # in a callback, where a library turns it into an error
        "import tempfile; tempfile.SpooledTemporaryFile.__init__ = come; tempfile.SpooledTemporaryFile()",
    ],
)
def test_a_signal_is_not_lost_where_exceptions_are_swallowed(place: Path, where: str) -> None:
    done = manage("shell", "--no-imports", "-v0", "-c", _COME + where, TALOS_DATA_DIR=str(place))
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "Stopped.\n")


# --- outputs ------------------------------------------------------------------------------------


def in_shell(place: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which `manage` is `manage.py`."""
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
    """A file whose conversations an import reports on."""
    mapping = {"a": {"id": "a", "parent": None, "message": None}}
    chats = [{"title": f"{n}", "id": f"{n}", "mapping": mapping} for n in range(3)]
    (path := tmp_path / "noted.json").write_text(json.dumps(chats))
    return str(path)


@sqlite_only
@pytest.mark.parametrize("command", ["export_history", "tools", "help", "import"])
def test_a_closed_pipe_ends_a_command_silently_with_the_usual_status(
    place: Path, noted: str, command: str
) -> None:
    if command == "import":
        command = f"import_history --dry-run {noted}"
    done = in_shell(place, f"manage {command} | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("141\n", "")


@sqlite_only
def test_an_output_error_is_not_blamed_on_the_file(place: Path, noted: str) -> None:
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
def test_a_question_without_input_is_explained(place: Path) -> None:
    done = in_shell(place, "manage flush < /dev/null")
    assert done.returncode == 1
    assert "no input to read it from" in done.stderr
    assert "Traceback" not in done.stderr


@sqlite_only
def test_an_export_is_compressed_if_its_name_says_so(place: Path, tmp_path: Path) -> None:
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
def test_an_unsupported_ending_is_refused_with_alternatives(
    place: Path, tmp_path: Path, name: str
) -> None:
    done = manage("export_history", "-o", str(tmp_path / name), TALOS_DATA_DIR=str(place))
    assert done.returncode == 1
    assert ".jsonl, .json or .md" in done.stderr
    assert list(tmp_path.iterdir()) == []


def _unmeasured(variables: dict[str, str]) -> dict[str, str]:
    """Drop coverage, which would write to the full disk too."""
    return {name: value for name, value in variables.items() if not name.startswith("COVERAGE")}


@sqlite_only
def test_a_full_disk_is_reported_with_the_progress_so_far(place: Path, tmp_path: Path) -> None:
    """A limit on file sizes acts like a full disk."""
    for command in (f"export_history -o {tmp_path}/a", f"backup {tmp_path}/b"):
        done = in_shell(place, f"ulimit -f 400; trap '' XFSZ; manage {command}")
        assert done.returncode == 1
        assert " of " in done.stderr
        assert "nothing was kept" in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@sqlite_only
def test_an_unwritable_or_unreadable_file_is_named(place: Path, tmp_path: Path) -> None:
    """The error names the right file, not the other one."""
    made, new = tmp_path / "made", tmp_path / "new"
    assert manage("backup", str(made), TALOS_DATA_DIR=str(place)).returncode == 0
    done = in_shell(new, f"ulimit -f 400; trap '' XFSZ; manage restore {made}")
    assert f"{new} cannot be written: the disk is full." in done.stderr
    assert "nothing was kept" in done.stderr
    assert not (new / "talos.sqlite3").exists()
    assert manage("restore", str(made), TALOS_DATA_DIR=str(new)).returncode == 0
    (database := new / "talos.sqlite3").write_bytes(b"no database" * 1000)
    done = in_shell(new, f"manage backup {tmp_path}/again")
    assert f"{database}: file is not a database." in done.stderr


@sqlite_only
def test_a_backup_shows_its_progress_on_a_terminal(place: Path, tmp_path: Path) -> None:
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
    with suppress(OSError):  # until the other end is closed
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    (place / "workspace" / "large").unlink()
    assert running.wait(SECONDS) == 0
    assert b" MB copied" in said
    assert said.endswith(b"\r\x1b[K")
