"""Nothing that a tool starts outlives its call."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from tests.tools.conftest import Run
from tools.core.declaration import ToolContext, tool
from tools.sandbox import processes
from tools.sandbox.processes import run_process

pytestmark = pytest.mark.anyio

STUBBORN = ("sh", "-c", 'trap "" TERM; sleep 100 & echo $$ $! > pids; wait')
"""A program and its child, both of which ignore SIGTERM."""


async def pids(folder: Path) -> list[int]:
    """Return the process ids that a script wrote into the pipe, once it has."""
    return [
        int(pid) for pid in (await asyncio.to_thread(folder.joinpath("pids").read_text)).split()
    ]


async def gone(processes: list[int], within: float) -> bool:
    end = time.monotonic() + within
    while any(is_there(pid) for pid in processes):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)
    return True


def is_there(pid: int) -> bool:
    """Whether a process exists; a zombie does not count, since its parent must reap it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self/stat").exists():
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it just ended
        return False


async def test_output_and_status_come_back(tmp_path: Path) -> None:
    done = await run_process("sh", "-c", "echo out; echo err >&2; pwd; exit 3", cwd=tmp_path)
    assert done.status == 3
    assert done.output.decode() == f"out\nerr\n{tmp_path}\n"
    assert done.size == len(done.output)


async def test_a_missing_program_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await run_process("no-such-program", cwd=tmp_path)


async def test_keys_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    done = await run_process("env", cwd=tmp_path, environment={"OWN": "1"})
    assert b"sk-secret" not in done.output
    assert b"OWN=1" in done.output


async def test_output_is_bounded_and_the_program_never_waits(tmp_path: Path) -> None:
    script = "import sys; sys.stdout.write('x' * 5_000_000)"
    done = await run_process(sys.executable, "-c", script, cwd=tmp_path, output_limit=100)
    assert (done.status, done.output, done.size) == (0, b"x" * 100, 5_000_000)


async def test_background_processes_are_ended(tmp_path: Path) -> None:
    done = await run_process("sh", "-c", "sleep 100 & echo $!", cwd=tmp_path)
    assert await gone([int(done.output)], within=3)


async def test_no_process_is_left_three_seconds_after_a_cancel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert processes.TERM_SECONDS <= 2.5
    monkeypatch.setattr(processes, "TERM_SECONDS", 0.2)
    os.mkfifo(tmp_path / "pids")
    running = asyncio.create_task(run_process(*STUBBORN, cwd=tmp_path))
    started = await pids(tmp_path)
    assert all(is_there(pid) for pid in started)
    running.cancel()
    assert await gone(started, within=30)
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_process_that_obeys_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "TERM_SECONDS", 60)
    script = "echo $$ > pids; exec sleep 100"
    os.mkfifo(tmp_path / "pids")
    running = asyncio.create_task(run_process("sh", "-c", script, cwd=tmp_path))
    started = await pids(tmp_path)
    running.cancel()
    assert await gone(started, within=30)
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_no_process_is_left_when_a_tool_runs_out_of_time(
    run: Run, context: ToolContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "TERM_SECONDS", 0.2)
    os.mkfifo(tmp_path / "pids")
    running = asyncio.create_task(run_process(*STUBBORN, cwd=tmp_path))
    started = await pids(tmp_path)

    @tool(seconds=0.1)
    async def sleep() -> None:
        """Sleep for long."""
        await running

    assert "was stopped" in (await run(sleep)).content
    assert await gone(started, within=30)
