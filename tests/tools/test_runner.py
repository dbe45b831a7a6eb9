"""Whatever a tool does, the model gets a readable result and the server goes on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.tools.conftest import SECRET, Run, calls, only
from tools.core.declaration import ToolContext, ToolError, tool
from tools.core.runner import THREADS, ToolOutcome

pytestmark = pytest.mark.anyio


async def test_a_function_runs_in_its_own_thread(run: Run) -> None:
    @tool
    def where() -> str:
        """Say where it runs."""
        return threading.current_thread().name

    assert (await run(where)).content.startswith("tool")


async def test_a_coroutine_runs_on_the_loop(run: Run) -> None:
    @tool
    async def where() -> str:
        """Say where it runs."""
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert await run(where) == ToolOutcome(threading.current_thread().name)


async def test_a_tool_that_asks_for_the_context_gets_it(run: Run, context: ToolContext) -> None:
    @tool
    def zone(suffix: str, *, of: ToolContext) -> str:
        """Say the time zone."""
        return of.time_zone + suffix

    assert (await run(zone, {"suffix": "!"})).content == "Europe/Paris!"


async def test_calls_run_in_parallel(context: ToolContext) -> None:
    barrier = threading.Barrier(THREADS, timeout=10)

    @tool
    def meet() -> str:
        """Wait for the others."""
        barrier.wait()
        return "met"

    runner = only(meet)
    outcomes = await asyncio.gather(*(calls(runner, "meet", context) for _ in range(2 * THREADS)))
    assert [outcome.content for outcome in outcomes] == ["met"] * 2 * THREADS


# --- failures -----------------------------------------------------------------------------------


async def test_a_tool_error_is_only_its_message(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    @tool
    def refuse() -> None:
        """Refuse."""
        raise ToolError("Not on a Sunday.")

    assert await run(refuse) == ToolOutcome("Not on a Sunday.", is_error=True)
    assert not caplog.records


class Unsayable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class Beyond(BaseException):
    pass


FAILURES = [
    (ValueError("no such day"), "ValueError: no such day"),
    (KeyError("day"), "KeyError: 'day'"),
    (TimeoutError(), "TimeoutError"),
    (StopIteration(1), "StopIteration: 1"),
    (SystemExit(3), "SystemExit: 3"),
    (KeyboardInterrupt(), "KeyboardInterrupt"),
    (GeneratorExit(), "GeneratorExit"),
    (Beyond("all"), "Beyond: all"),
    (Unsayable(), "Unsayable"),
    (ValueError(f"refused: {SECRET}"), "ValueError: refused: [secret]"),
    (ValueError("\0\ud800"), "ValueError: \ufffd\ufffd"),
    (RecursionError("deep"), "RecursionError: deep"),
    (MemoryError(), "MemoryError"),
]


@pytest.mark.parametrize(("error", "said"), FAILURES, ids=lambda value: type(value).__name__)
async def test_a_thread_that_raises(
    run: Run, caplog: pytest.LogCaptureFixture, error: BaseException, said: str
) -> None:
    @tool
    def fail() -> None:
        """Fail."""
        raise error

    assert await run(fail) == ToolOutcome(f"`fail` failed: {said}", is_error=True)
    (record,) = caplog.records
    assert record.exc_info is not None, "the log has the traceback"


@pytest.mark.parametrize(
    ("error", "said"),
    [case for case in FAILURES if not isinstance(case[0], GeneratorExit | StopIteration)],
    ids=lambda value: type(value).__name__,
)
async def test_a_coroutine_that_raises(run: Run, error: BaseException, said: str) -> None:
    @tool
    async def fail() -> None:
        """Fail."""
        raise error

    assert await run(fail) == ToolOutcome(f"`fail` failed: {said}", is_error=True)


async def test_a_huge_message_is_cut(run: Run) -> None:
    @tool
    def fail() -> None:
        """Fail."""
        raise ValueError("x" * 10**7)

    assert len((await run(fail)).content) < 5000
