"""A tool that hangs is stopped without affecting others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.tools.conftest import Run, calls, only
from tools.core.declaration import ToolContext, tool
from tools.core.registry import AnyTool, Registry
from tools.core.runner import THREADS, ToolOutcome, ToolRunner

pytestmark = pytest.mark.anyio


async def test_a_coroutine_that_hangs_is_cancelled(run: Run) -> None:
    cleaned: list[bool] = []

    @tool(seconds=0.05)
    async def hang() -> None:
        """Hang."""
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    outcome = await run(hang)
    assert outcome.is_error
    assert "longer than 0.05 seconds" in outcome.content
    assert "may have taken effect" in outcome.content
    assert cleaned == [True]


async def test_a_thread_that_hangs_is_abandoned(run: Run, gate: threading.Event) -> None:
    @tool(seconds=0.5, repeatable=True)
    def hang() -> str:
        """Hang."""
        gate.wait()
        return "late"

    assert await run(hang) == ToolOutcome(
        "`hang` was stopped: it took longer than 0.5 seconds.", is_error=True
    )


async def test_hung_threads_of_one_tool_do_not_block_other_tools(
    context: ToolContext, gate: threading.Event
) -> None:
    @tool(seconds=1)
    def hang() -> None:
        """Hang."""
        gate.wait()

    @tool
    def ping() -> str:
        """Answer."""
        return "pong"

    runner = ToolRunner(lambda: Registry([hang, ping]))
    outcomes = await asyncio.gather(*(calls(runner, "hang", context) for _ in range(THREADS + 1)))
    assert [("was stopped" in one.content) for one in outcomes] == [True] * THREADS + [False]
    assert "threads are busy" in outcomes[-1].content
    assert outcomes[-1].is_error
    assert (await calls(runner, "ping", context)).content == "pong"


async def test_a_call_that_was_not_run_is_never_run_later(
    context: ToolContext, gate: threading.Event
) -> None:
    started: list[bool] = []

    def hang() -> None:
        """Hang."""
        started.append(True)
        gate.wait()

    hasty, patient = only(tool(seconds=1)(hang)), only(tool(seconds=30)(hang))
    await asyncio.gather(*(calls(hasty, "hang", context) for _ in range(THREADS + 1)))
    gate.set()
    outcome = await calls(patient, "hang", context)  # queued behind the one that never ran
    assert outcome.content == "Done."
    assert len(started) == THREADS + 1


async def test_a_tool_that_ignores_its_cancellation_is_abandoned(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tools.core.runner.GRACE", 0.05)
    release = asyncio.Event()

    @tool(seconds=0.05)
    async def stubborn() -> None:
        """Go on."""
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    assert "was stopped" in (await run(stubborn)).content
    assert "is still running after it was stopped" in caplog.text
    release.set()
    await asyncio.sleep(0)


async def test_a_result_that_arrives_during_the_stop_counts(run: Run) -> None:
    @tool(seconds=0.05)
    async def late() -> str:
        """Finish late."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "half of it"
        return "all of it"

    assert await run(late) == ToolOutcome("half of it")


@pytest.mark.parametrize("hangs_in_a_thread", [True, False])
async def test_a_cancel_reaches_the_tool_and_the_caller(
    context: ToolContext,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    hangs_in_a_thread: bool,
) -> None:
    monkeypatch.setattr("tools.core.runner.GRACE", 60)
    started, ended = threading.Event(), asyncio.Event()

    @tool
    async def waits() -> None:
        """Wait."""
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @tool
    def hangs() -> None:
        """Hang."""
        started.set()
        gate.wait()

    one: AnyTool = hangs if hangs_in_a_thread else waits
    running = asyncio.ensure_future(calls(only(one), one.name, context))
    assert await asyncio.to_thread(started.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, timeout=30)
    assert ended.is_set() is not hangs_in_a_thread


async def test_a_tool_that_cancels_itself_has_failed(run: Run) -> None:
    @tool
    async def confused() -> None:
        """Raise an exception that only the runner may raise."""
        raise asyncio.CancelledError

    outcome = await run(confused)
    assert outcome.is_error
    assert "stopped itself" in outcome.content
