"""`manage.py tools`: list the tools offered to models, or call one outside any chat."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tools.core import registry
from tools.core.context import ToolContext
from tools.core.registry import Registry
from tools.core.runner import Call, ToolOutcome, ToolRunner


class Command(BaseCommand):
    help = 'List the tools, or call one: tools call calculate \'{"expression": "6 * 7"}\''

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="do", metavar="list | call")
        actions.add_parser("list", help="list the tools offered to models (the default)")
        call = actions.add_parser("call", help="run a tool")
        call.add_argument("name")
        call.add_argument("arguments", nargs="?", default="{}", help="a JSON object")
        call.add_argument(
            "--yes", action="store_true", help="approve the call, if the tool needs approval"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        tools = registry.load(tuple(settings.TALOS_TOOLS))
        if options["do"] != "call":
            return "\n".join(_lines(tools)) or "No tools are offered."
        runner = ToolRunner(lambda: tools)
        outcome = runner.validate(options["name"], options["arguments"])
        if isinstance(outcome, Call):
            outcome = self._run(runner, outcome, is_allowed=options["yes"])
        if outcome.is_error:
            raise CommandError(outcome.content)
        return outcome.content

    def _run(self, runner: ToolRunner, call: Call, *, is_allowed: bool) -> ToolOutcome:
        if call.tool.approval and not is_allowed:
            raise CommandError(f"{call.tool.name} needs approval. Add --yes to run it here.")
        context = ToolContext(
            workspace=settings.WORKSPACE,
            time_zone=settings.TIME_ZONE,
            progress=lambda text: print(text, file=sys.stderr),  # noqa: T201  # a terminal
        )
        return asyncio.run(runner.run(call, context))


def _lines(tools: Registry) -> Iterator[str]:
    width = max((len(name) for name in tools.names), default=0)
    for tool in tools:
        approval = "needs approval" if tool.approval else "automatic"
        limits = f"{tool.seconds:g} s, {tool.output_limit // 1024} KiB"
        yield f"{tool.name:{width}}  {approval:<14}  {limits:<14}  {tool.summary}"
