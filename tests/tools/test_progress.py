"""The progress that a call reports while it runs."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from tests.tools.conftest import SECRET, calls, only
from tools.core.declaration import ToolContext, tool
from tools.core.registry import Registry
from tools.core.runner import ToolRunner

pytestmark = pytest.mark.anyio


async def test_progress_is_delivered_on_the_loop(context: ToolContext) -> None:
    heard: list[tuple[str, threading.Thread]] = []
    said = threading.Event()

    @tool
    def work(of: ToolContext) -> None:
        """Work."""
        of.progress(f"half {SECRET}\0")
        said.wait(10)
        of.progress("all")

    def hear(text: str) -> None:
        heard.append((text, threading.current_thread()))
        said.set()

    runner = ToolRunner(lambda: Registry([work]), secrets=lambda: [SECRET])
    await calls(runner, "work", replace(context, progress=hear))
    here = threading.current_thread()
    assert heard == [("half [secret]\ufffd", here), ("all", here)]


async def test_progress_after_the_end_is_discarded(
    context: ToolContext, gate: threading.Event
) -> None:
    heard: list[str] = []
    over = threading.Event()

    @tool(seconds=0.5)
    def work(of: ToolContext) -> None:
        """Work."""
        gate.wait()
        of.progress("late")
        over.set()

    await calls(only(work), "work", replace(context, progress=heard.append))
    gate.set()
    assert over.wait(10)
    await asyncio.sleep(0)
    assert heard == []
