"""What a long history costs: 10,000 conversations with 200,000 messages, each command a process.

Made once, by `many_conversations.py`, in a data directory of its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figures
from benchmarks.subjects import ROOT

MESSAGES = 20
"""In each conversation."""
IMPORTED = 1_000


class History:
    """A data directory with so many conversations."""

    def __init__(self, data: Path, conversations: int) -> None:
        self.data = data
        self.conversations = conversations
        self.messages = conversations * MESSAGES
        run(data, "manage.py", "migrate", "--verbosity=0")
        made = ("--conversations", str(conversations), "--messages", str(MESSAGES))
        run(data, "-m", "benchmarks.many_conversations", *made)

    def export(self) -> Figures:
        """All of it into one file."""
        self._archive.unlink(missing_ok=True)
        command = ("manage.py", "export_history", "--output", str(self._archive))
        return figures(self.data, self.messages, *command)

    def import_(self) -> Figures:
        """The first thousand conversations of that file into an empty database."""
        with TemporaryDirectory(dir=self.data) as folder, self._archive.open("rb") as lines:
            (some := Path(folder) / "some.jsonl").write_bytes(b"".join(islice(lines, IMPORTED)))
            run(Path(folder), "manage.py", "migrate", "--verbosity=0")
            command = ("manage.py", "import_history", str(some))
            return figures(Path(folder), IMPORTED * MESSAGES, *command)

    @property
    def _archive(self) -> Path:
        return self.data / "export.jsonl"


def figures(data: Path, messages: int, *command: str) -> Figures:
    """What a command took for so many messages."""
    began = time.monotonic()
    usage = run(data, *command)
    return {
        "per_second": messages / (time.monotonic() - began),
        "cpu": (usage.ru_utime + usage.ru_stime) / messages * 1e6,
        "memory": usage.ru_maxrss / 1024,
    }


def run(data: Path, *command: str) -> resource.struct_rusage:
    """A command to its end, and what the kernel says of it."""
    own = {"PATH": os.environ["PATH"], "PYTHON_DOTENV_DISABLED": "1", "TALOS_DATA_DIR": str(data)}
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=own, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage
