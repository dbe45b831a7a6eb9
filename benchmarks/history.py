"""The cost of a long history: export, import, the admin and a prune; each command is a process."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks import administration
from benchmarks.figures import Figures
from benchmarks.stands import MESSAGES, Stand

IMPORTED = 1_000


def export(stand: Stand, *, conversations: int) -> Figures:
    """Export all of it into one file."""
    data = stand.data("history", conversations=conversations)
    archive = _archive(stand)
    archive.unlink(missing_ok=True)
    command = ("manage.py", "export_history", "--output", str(archive))
    return _run(stand, data, conversations, *command)


def import_(stand: Stand, *, conversations: int) -> Figures:
    """Import the first thousand conversations of that file into an empty database."""
    if not _archive(stand).exists():
        export(stand, conversations=conversations)
    with TemporaryDirectory(dir=stand.folder) as folder, _archive(stand).open("rb") as lines:
        (some := Path(folder) / "some.jsonl").write_bytes(b"".join(islice(lines, IMPORTED)))
        stand.checkout.run(Path(folder), "manage.py", "migrate", "--verbosity=0")
        return _run(stand, Path(folder), IMPORTED, "manage.py", "import_history", str(some))


def admin(stand: Stand, *, conversations: int) -> Figures:
    with stand.serve(stand.data("history", conversations=conversations)) as talos:
        return uvloop.run(administration.pages(talos))


def prune(stand: Stand, *, conversations: int) -> Figures:
    """Prune a tenth from a copy, the same one each time."""
    data = stand.data("history", conversations=conversations)
    with stand.copy(data) as copy, stand.serve(copy) as talos:
        keep = conversations * 9 // 10
        return uvloop.run(administration.during_prune(talos, stand.checkout, copy, keep=keep))


def _archive(stand: Stand) -> Path:
    return stand.folder / "export.jsonl"


def _run(stand: Stand, data: Path, conversations: int, *command: str) -> Figures:
    """Run a command on so many conversations and return its figures."""
    messages = conversations * MESSAGES
    began = time.monotonic()
    usage = stand.checkout.run(data, *command)
    return {
        "per_second": messages / (time.monotonic() - began),
        "cpu": (usage.ru_utime + usage.ru_stime) / messages * 1e6,
        "memory": usage.ru_maxrss / 1024,
    }
