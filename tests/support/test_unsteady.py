"""Failed tests are run again, alone: unsteady tests are named, broken ones fail the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.unsteady import HEADING, MOST

pytestmark = pytest.mark.slow

SECOND_TIME = """
from pathlib import Path
import pytest

def second_time(name):
    path = Path(__file__).with_name(name)
    seen = path.exists()
    path.touch()
    return seen
"""
UNSTEADY = "def test_unsteady():\n    assert second_time('unsteady'), 'only at first'\n"
IN_SETUP = """
@pytest.fixture
def shaky():
    assert second_time('shaky')

def test_with_a_shaky_fixture(shaky): pass
"""
BROKEN = "def test_broken():\n    assert False\n"
STEADY = "def test_steady(): pass\n"
A_PROMISE = "@pytest.mark.promise(3)\ndef test_a_promise():\n    assert second_time('promise')\n"
PROMISES = "pytestmark = pytest.mark.promise(3)\n"
STOPPED = "def test_stopped():\n    raise KeyboardInterrupt\n"
IN_TEARDOWN = """
@pytest.fixture(scope="module")
def shared():
    yield
    assert second_time('shared')

def test_with_a_shared_server(shared): pass
"""


def run(folder: Path, *parts: str, workers: int = 0, again: bool = True) -> tuple[int, str]:
    """Run tests in a separate project. Return the exit status and the output."""
    (folder / "test_it.py").write_text("\n".join((SECOND_TIME, *parts)))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = promise(*numbers): x\n")
    options = [
        "-p",
        "tests.support.unsteady",
        "-p",
        "no:django",
        "-p",
        "no:randomly",
        "-n",
        str(workers),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(["--run-failed-again"] if again else [])],
        cwd=folder,
        env={"PYTHONPATH": str(settings.BASE_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", [0, 2])
def test_a_test_that_passes_then_is_named_and_does_not_fail_the_run(
    tmp_path: Path, workers: int
) -> None:
    status, said = run(tmp_path, UNSTEADY, IN_SETUP, STEADY, workers=workers)
    assert status == 0, said
    (_, named) = said.split(HEADING)
    assert "test_it.py::test_unsteady" in named
    assert "AssertionError: only at first" in named
    assert "test_it.py::test_with_a_shaky_fixture" in named
    assert "1 passed, 2 unsteady" in said.splitlines()[-1]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_test_that_fails_again_fails_the_run(tmp_path: Path, workers: int) -> None:
    status, said = run(tmp_path, UNSTEADY, BROKEN, workers=workers)
    assert status == 1
    assert "test_it.py::test_unsteady" in said.split(HEADING)[1]
    assert "1 failed, 1 unsteady" in said.splitlines()[-1]


@pytest.mark.parametrize("part", [A_PROMISE, IN_TEARDOWN], ids=["promise", "teardown"])
def test_a_promise_and_the_end_of_a_shared_server_are_never_run_again(
    tmp_path: Path, part: str
) -> None:
    status, said = run(tmp_path, part, UNSTEADY)
    assert status == 1
    assert "1 unsteady" in said.splitlines()[-1]
    assert "running 1 of the failed tests once more" in said
    assert (tmp_path / ("promise" if part is A_PROMISE else "shared")).exists()


def test_a_file_of_promises_is_never_run_again(tmp_path: Path) -> None:
    status, said = run(tmp_path, PROMISES, UNSTEADY)
    assert status == 1
    assert "once more" not in said


def test_a_run_that_was_stopped_stays_failed(tmp_path: Path) -> None:
    status, said = run(tmp_path, UNSTEADY, STOPPED)
    assert status == pytest.ExitCode.INTERRUPTED
    assert "once more" not in said


def test_many_failures_do_not_count_as_unsteady(tmp_path: Path) -> None:
    many = (
        f"@pytest.mark.parametrize('n', range({MOST + 1}))\ndef test_many(n):\n    assert False\n"
    )
    status, said = run(tmp_path, many)
    assert status == 1
    assert "once more" not in said


def test_running_again_must_be_requested(tmp_path: Path) -> None:
    status, said = run(tmp_path, BROKEN, again=False)
    assert status == 1
    assert "once more" not in said
