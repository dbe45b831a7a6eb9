"""Child processes for tools, that never outlive their call.

Each gets a process group of its own: when the call ends, is cancelled or runs out of time, the
whole group is ended, SIGTERM first. A child sees nothing of this server's environment but the
paths that programs need: keys are in the rest.

Threads wait and read, because who may watch children differs between event loops.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.core.threads import in_thread

TERM_SECONDS = 2.0
"""Between SIGTERM and SIGKILL."""
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR")
_CHUNK = 64 * 1024


class _Output:
    """What a process writes, read to its end so that it never waits; the beginning is kept."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        self._pipe = pipe
        self._limit = limit
        self.kept = bytearray()
        self.size = 0

    def read(self) -> None:
        with self._pipe as pipe:
            while chunk := os.read(pipe.fileno(), _CHUNK):
                self.size += len(chunk)
                self.kept += chunk[: max(0, self._limit - len(self.kept))]


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended by itself."""

    status: int
    """0 is success; a negative number is the signal that ended it."""
    output: bytes
    """Its output and error output as they came, up to the limit."""
    size: int
    """Of all that it wrote."""


async def run_process(
    *command: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    output_limit: int = 64 * 1024,
) -> Finished:
    """Run a program to its end. `OSError` when it cannot be started."""
    process = _start(command, cwd, {**_own_environment(), **(environment or {})})
    assert process.stdout is not None  # noqa: S101  # a pipe
    output = _Output(process.stdout, output_limit)
    reading = in_thread(output.read)
    ending = in_thread(process.wait)
    try:
        await asyncio.wait({ending})
    except asyncio.CancelledError:
        _signal(process, signal.SIGTERM)
        await asyncio.wait([asyncio.gather(ending, reading)], timeout=TERM_SECONDS)
        raise
    finally:
        # Also after a good end: what it left in the background holds the pipe open.
        _signal(process, signal.SIGKILL)
    await asyncio.wait([reading], timeout=TERM_SECONDS)  # what left its group may still hold it
    return Finished(ending.result(), bytes(output.kept), output.size)


def _start(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # what runs is the tool's choice
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _own_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone; macOS: only zombies are left
        os.killpg(process.pid, number)
