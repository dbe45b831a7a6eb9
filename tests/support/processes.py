"""Real Talos processes, for tests that need them."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from talos_site import static_files

READY = "Talos is ready at "
SECONDS = 60.0
"""The longest wait; a start takes about one second."""


def environment(**variables: str) -> dict[str, str]:
    """The way to Python and the given variables: nothing else of this machine's environment.

    Except `coverage`'s own, so that child processes are measured too.
    """
    own = {
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        "PATH": os.environ["PATH"],
        "PYTHON_DOTENV_DISABLED": "1",
        "PYTHONWARNINGS": "error",
        "TALOS_LOCAL_MODELS": "0",
    }
    return {**own, **variables}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `manage.py` to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def begin(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start a command of `manage.py`, to be watched, stopped or killed. The caller ends it."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def collect_static_files() -> None:
    if static_files.find_outdated():
        done = manage(
            "collectstatic", "--noinput", "--verbosity=0", TALOS_DATA_DIR=str(settings.DATA_DIR)
        )
        assert done.returncode == 0, done.stderr


class Talos:
    """A server process."""

    def __init__(self, data: Path, *command: str) -> None:
        self.data = data
        self.command = command or ("manage.py", "serve")
        self.address = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "not started"
        return self._process

    def start(self, *arguments: str, **variables: str) -> str:
        """Serve on a free port. Return the address once it listens."""
        defaults = {"TALOS_DATA_DIR": str(self.data), "PORT": "0"}
        self._process = subprocess.Popen(
            [sys.executable, *self.command, *arguments],
            cwd=settings.BASE_DIR,
            env=environment(**{**defaults, **variables}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pipesize=1024 * 1024,  # a log that nobody reads yet must not block the server
            text=True,
        )
        line = self.line()
        assert line.startswith(READY), f"{line}\n{self.stop()[1]}"
        self.address = line.removeprefix(READY).strip().rstrip("/")
        return self.address

    def line(self) -> str:
        """Return the next line of its output, which must not have been written before."""
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        return self.process.stdout.readline() if readable else "(silence)"

    def said(self, beginning: str) -> str:
        """Wait for its next error line with this beginning."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if line.startswith(beginning))

    def stop(self) -> tuple[int, str]:
        """Send SIGTERM. Return the exit status and everything it wrote to stderr."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.end()

    def end(self) -> tuple[int, str]:
        """Wait for its end, which something else causes."""
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors

    def kill(self) -> None:
        """Send SIGKILL if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=SECONDS)
