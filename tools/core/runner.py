"""The tool runner: turns every call into a result that the model can read, whatever happens.

`validate` is used when a call is stored, `run` once it may run. Approvals, and where calls and
results are stored, are up to the turn engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import ValidationError

from tools.core import arguments as parsing
from tools.core.context import ToolContext
from tools.core.errors import ToolError
from tools.core.progress import Progress
from tools.core.registry import AnyTool, Registry
from tools.core.text import NotText, Renderer, shorten
from tools.core.threads import Threads

log = logging.getLogger(__name__)

THREADS = 4
"""Threads of each tool, so that one that hangs blocks only itself."""
Secrets = Callable[[], Collection[str]]
GRACE = 2.5
"""Seconds that a stopped tool has to clean up; `sandbox/processes.py` needs up to two."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The result of a call. A failure is a result too: the model reads it and adapts."""

    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A valid call: its tool exists and its arguments fit."""

    tool: AnyTool
    arguments: Mapping[str, Any]
    """Python values, as the function expects them."""


class ToolRunner:
    """Runs the tools of a registry, which is loaded on first use.

    Results are free of `secrets`, as they are when the call runs, wherever the tool found them.
    """

    def __init__(self, registry: Callable[[], Registry], *, secrets: Secrets = tuple) -> None:
        self._registry = registry
        self._secrets = secrets
        self._threads: dict[str, Threads[ToolOutcome]] = defaultdict(
            lambda: Threads("tool", THREADS)
        )
        self._stubborn: set[asyncio.Task[ToolOutcome]] = set()

    @property
    def registry(self) -> Registry:
        return self._registry()

    def validate(self, name: str, arguments: str | Mapping[str, Any]) -> Call | ToolOutcome:
        """Return the call, or an outcome that explains what is wrong. JSON text is as the model wrote it."""
        tool = self.registry.get(name)
        if tool is None:
            return ToolOutcome(parsing.explain_unknown(name, self.registry.names), is_error=True)
        try:
            return Call(tool, tool.parse(parsing.parse(arguments)))
        except ToolError as error:
            return ToolOutcome(str(error), is_error=True)
        except ValidationError as error:
            known = tool.parameters["properties"]
            return ToolOutcome(parsing.explain(name, known, error), is_error=True)

    async def run(self, call: Call, context: ToolContext) -> ToolOutcome:
        """Run a call within its limits. Raises only when the caller is cancelled."""
        work = asyncio.create_task(self._attempt(call, context), name=f"tool {call.tool.name}")
        try:
            await asyncio.wait({work}, timeout=call.tool.seconds)
            is_own_end = work.done()
        finally:
            await self._stop(work)
        if work.done() and not work.cancelled():
            return work.result()
        return _stop_outcome(call.tool, is_own_end=is_own_end)

    async def _attempt(self, call: Call, context: ToolContext) -> ToolOutcome:
        renderer = Renderer(call.tool.output_limit, self._secrets())
        with Progress(context.progress, renderer) as progress:
            arguments = dict(call.arguments)
            if call.tool.signature.context:
                arguments[call.tool.signature.context] = replace(context, progress=progress.report)
            if call.tool.is_async:
                return await self._await(call.tool, arguments, renderer)
            return await self._in_thread(call.tool, partial(_call, call.tool, arguments, renderer))

    async def _await(
        self, tool: AnyTool, arguments: dict[str, Any], renderer: Renderer
    ) -> ToolOutcome:
        try:
            result = await tool.function(**arguments)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # SystemExit must not end the server
            return _failure(tool, error, renderer)
        if isinstance(result, str | None):
            return _render(tool, result, renderer)
        return await self._in_thread(tool, partial(_render, tool, result, renderer))

    async def _in_thread(self, tool: AnyTool, work: partial[ToolOutcome]) -> ToolOutcome:
        job: Future[ToolOutcome] = self._threads[tool.name].submit(work)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if not job.cancelled():
                raise
            busy = f"`{tool.name}` was not run: its {THREADS} threads are busy with earlier calls."
            return ToolOutcome(busy, is_error=True)

    async def _stop(self, work: asyncio.Task[ToolOutcome]) -> None:
        if work.done():
            return
        work.cancel()
        await asyncio.wait({work}, timeout=GRACE)
        if not work.done():
            log.error("%s is still running after it was stopped", work.get_name())
            self._stubborn.add(work)
            work.add_done_callback(self._stubborn.discard)


def _call(tool: AnyTool, arguments: dict[str, Any], renderer: Renderer) -> ToolOutcome:
    try:
        result = tool.function(**arguments)
    except BaseException as error:  # it would end the server's event loop
        return _failure(tool, error, renderer)
    return _render(tool, result, renderer)


def _render(tool: AnyTool, result: object, renderer: Renderer) -> ToolOutcome:
    try:
        return ToolOutcome(renderer.render(result))
    except NotText as error:
        log.error("%s returned %s", tool.name, error)
        return ToolOutcome(renderer.truncate(f"`{tool.name}` returned {error}."), is_error=True)
    except Exception as error:  # a serializer or a `__str__` that raises
        return _failure(tool, error, renderer)


def _failure(tool: AnyTool, error: BaseException, renderer: Renderer) -> ToolOutcome:
    message = ""
    with suppress(Exception):  # its `__str__` may raise
        message = shorten(str(error), 4000)
    if not isinstance(error, ToolError):
        log.error("%s failed", tool.name, exc_info=error)
        message = ": ".join(
            filter(None, [f"`{tool.name}` failed: {type(error).__name__}", message])
        )
    return ToolOutcome(renderer.truncate(message or f"`{tool.name}` failed."), is_error=True)


def _stop_outcome(tool: AnyTool, *, is_own_end: bool) -> ToolOutcome:
    limit = f"was stopped: it took longer than {tool.seconds:g} seconds."
    effect = "" if tool.repeatable else " What it started may have taken effect."
    message = f"`{tool.name}` {'stopped itself.' if is_own_end else limit}{effect}"
    return ToolOutcome(message, is_error=True)
