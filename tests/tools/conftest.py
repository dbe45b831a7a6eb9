"""A runner for tools that a test declares, and a workspace with a secret beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.hostile import with_a_secret
from tools.core.declaration import ToolContext
from tools.core.registry import AnyTool, Registry
from tools.core.runner import Call, ToolOutcome, ToolRunner

SECRET = "the-key-of-this-server"

Run = Callable[..., Awaitable[ToolOutcome]]


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    return ToolContext(workspace=tmp_path / "workspace", time_zone="Europe/Paris")


@pytest.fixture
def run(context: ToolContext) -> Run:
    """Call a tool as the turn engine does: by its name, with JSON text or an object."""

    async def call(tool: AnyTool, arguments: str | dict[str, Any] | None = None) -> ToolOutcome:
        runner = ToolRunner(lambda: Registry([tool]), secrets=lambda: [SECRET])
        return await answer(runner, tool.name, arguments, context)

    return call


async def answer(
    runner: ToolRunner,
    name: str,
    arguments: str | dict[str, Any] | None,
    context: ToolContext,
) -> ToolOutcome:
    call = runner.validate(name, {} if arguments is None else arguments)
    if isinstance(call, Call):
        return await asyncio.wait_for(runner.run(call, context), timeout=30)
    return call


def calls(runner: ToolRunner, name: str, context: ToolContext) -> Awaitable[ToolOutcome]:
    """Run a tool without arguments."""
    call = runner.validate(name, {})
    assert isinstance(call, Call)
    return runner.run(call, context)


def only(one: AnyTool) -> ToolRunner:
    return ToolRunner(lambda: Registry([one]))


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """An event that a hung thread waits for; set when the test is over."""
    opened = threading.Event()
    yield opened
    opened.set()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a secret beside it."""
    return with_a_secret(tmp_path)
