"""Child processes for tools, which never outlive their call.

Each gets its own process group: when the call ends, is cancelled or runs out of time, the whole
group is ended, SIGTERM first. Of the server's environment a child sees only the variables that
programs need: the rest holds keys.

Threads wait and read, because event loops differ in who may watch children.
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
"""The time between SIGTERM and SIGKILL."""
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR")
_CHUNK = 64 * 1024


class _Output:
    """The output of a process: read to the end so that it never blocks; the beginning is kept."""

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
    """The result of a process that ended by itself."""

    status: int
    """0 is success; a negative number is the signal that ended it."""
    output: bytes
    """Output and error output, interleaved, up to the limit."""
    size: int
    """Bytes that it wrote in total."""


async def run_process(
    *command: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    output_limit: int = 64 * 1024,
) -> Finished:
    """Run a program to its end. Raises `OSError` when it cannot be started."""
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
        # Also after success: a background child would hold the pipe open.
        _signal(process, signal.SIGKILL)
    await asyncio.wait(
        [reading], timeout=TERM_SECONDS
    )  # a process that left the group may still hold it
    return Finished(ending.result(), bytes(output.kept), output.size)


def _start(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # the tool chooses what runs
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
    with suppress(ProcessLookupError, PermissionError):  # already gone; on macOS: only zombies left
        os.killpg(process.pid, number)
