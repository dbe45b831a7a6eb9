"""The Tool Runner: a call in, a result that the model can read out, whatever happens between.

`validate` is for when a call is stored, `run` for when it may run. Who is asked for approval, and
where calls and results are kept, is the turn engine's.
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

from tools.core import arguments as reading
from tools.core.context import ToolContext
from tools.core.errors import ToolError
from tools.core.progress import Progress
from tools.core.registry import AnyTool, Registry
from tools.core.text import NotText, Renderer, shorten
from tools.core.threads import Threads

log = logging.getLogger(__name__)

THREADS = 4
"""Of each tool, so that one that hangs only ever blocks itself."""
Secrets = Callable[[], Collection[str]]
GRACE = 2.5
"""Seconds for a stopped tool to clean up: `processes.py` needs up to two of them."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a call came to. A failure is a result too: the model reads it and adapts."""

    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be run: its tool is there and its arguments fit."""

    tool: AnyTool
    arguments: Mapping[str, Any]
    """Python values, as the function takes them."""


class ToolRunner:
    """Runs the tools of a registry, which is loaded when it is first needed.

    What a call comes to is free of `secrets`, as they are when it runs, wherever the tool found
    them.
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
        """The call, or what is wrong with it. JSON text is as the model wrote it."""
        tool = self.registry.get(name)
        if tool is None:
            return ToolOutcome(reading.no_such_tool(name, self.registry.names), is_error=True)
        try:
            return Call(tool, tool.parse(reading.parse(arguments)))
        except ToolError as error:
            return ToolOutcome(str(error), is_error=True)
        except ValidationError as error:
            known = tool.parameters["properties"]
            return ToolOutcome(reading.complaint(name, known, error), is_error=True)

    async def run(self, call: Call, context: ToolContext) -> ToolOutcome:
        """Run it under its limits. Only a cancellation of the caller comes out as an exception."""
        work = asyncio.create_task(self._attempt(call, context), name=f"tool {call.tool.name}")
        try:
            await asyncio.wait({work}, timeout=call.tool.seconds)
            is_own_end = work.done()
        finally:
            await self._stop(work)
        if work.done() and not work.cancelled():
            return work.result()
        return _stopped(call.tool, is_own_end=is_own_end)

    async def _attempt(self, call: Call, context: ToolContext) -> ToolOutcome:
        renderer = Renderer(call.tool.output_limit, self._secrets())
        with Progress(context.progress, renderer) as progress:
            arguments = dict(call.arguments)
            if call.tool.signature.context:
                arguments[call.tool.signature.context] = replace(context, progress=progress.say)
            if call.tool.is_async:
                return await self._awaited(call.tool, arguments, renderer)
            return await self._in_thread(call.tool, partial(_call, call.tool, arguments, renderer))

    async def _awaited(
        self, tool: AnyTool, arguments: dict[str, Any], renderer: Renderer
    ) -> ToolOutcome:
        try:
            result = await tool.function(**arguments)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # an exit is the tool's too, not the server's
            return _failed(tool, error, renderer)
        if isinstance(result, str | None):
            return _rendered(tool, result, renderer)
        return await self._in_thread(tool, partial(_rendered, tool, result, renderer))

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
            log.error("%s goes on after it was stopped", work.get_name())
            self._stubborn.add(work)
            work.add_done_callback(self._stubborn.discard)


def _call(tool: AnyTool, arguments: dict[str, Any], renderer: Renderer) -> ToolOutcome:
    try:
        result = tool.function(**arguments)
    except BaseException as error:  # nothing leaves the thread: it would end the server's loop
        return _failed(tool, error, renderer)
    return _rendered(tool, result, renderer)


def _rendered(tool: AnyTool, result: object, renderer: Renderer) -> ToolOutcome:
    try:
        return ToolOutcome(renderer.text_of(result))
    except NotText as error:
        log.error("%s returned %s", tool.name, error)
        return ToolOutcome(renderer.bounded(f"`{tool.name}` returned {error}."), is_error=True)
    except Exception as error:  # a model's own serializer, a __str__ that raises
        return _failed(tool, error, renderer)


def _failed(tool: AnyTool, error: BaseException, renderer: Renderer) -> ToolOutcome:
    said = ""
    with suppress(Exception):  # an exception whose text raises
        said = shorten(str(error), 4000)
    if not isinstance(error, ToolError):
        log.error("%s failed", tool.name, exc_info=error)
        said = ": ".join(filter(None, [f"`{tool.name}` failed: {type(error).__name__}", said]))
    return ToolOutcome(renderer.bounded(said or f"`{tool.name}` failed."), is_error=True)


def _stopped(tool: AnyTool, *, is_own_end: bool) -> ToolOutcome:
    limit = f"was stopped: it took longer than {tool.seconds:g} seconds."
    effect = "" if tool.repeatable else " What it had begun may have taken effect."
    said = f"`{tool.name}` {'stopped itself.' if is_own_end else limit}{effect}"
    return ToolOutcome(said, is_error=True)
