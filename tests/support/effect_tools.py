"""Tools whose effects tests can count: each writes a line to a file, and can be held up."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tools.core.declaration import ToolContext, tool


@tool(approval=True)
async def append_line(file: str, text: str) -> str:
    """Append a line to a file."""
    with Path(file).open("a") as out:  # noqa: ASYNC230
        out.write(f"{text}\n")
    return f"Appended {text}."


@tool(approval=False)
async def note_line(file: str, text: str) -> str:
    """Append a line to a file without approval, pausing briefly before and after."""
    await asyncio.sleep(0.02)
    await append_line.function(file, text)
    await asyncio.sleep(0.02)
    return f"Noted {text}."


@tool(approval=False, seconds=60)
async def hold(file: str, text: str, before: bool = False) -> str:
    """Append a line to a file, and keep running, before or after that, until it is deleted."""
    path = Path(file)
    if before:
        path.with_suffix(".held").touch()
        await asyncio.sleep(3600)
    with path.open("a") as out:  # noqa: ASYNC230
        out.write(f"{text}\n")
    path.with_suffix(".held").touch()
    await asyncio.sleep(3600)
    return "never"


@tool(approval=True, seconds=60)
async def append_later(file: str, text: str) -> str:
    """Append a line to a file, and return once a file named like that line exists."""
    await append_line.function(file, text)
    while not Path(file).with_name(text).exists():  # noqa: ASYNC110  (another process's file)
        await asyncio.sleep(0.01)
    return f"Appended {text}."


@tool(approval=False, repeatable=True, seconds=60)
async def hold_once(file: str) -> str:
    """Append a line to a file; hang the first time, return the second."""
    path = Path(file)
    with path.open("a") as out:  # noqa: ASYNC230
        out.write("x\n")
    if len(path.read_text().splitlines()) == 1:  # noqa: ASYNC240
        path.with_suffix(".held").touch()
        await asyncio.sleep(3600)
    return "returned"


@tool(approval=False, seconds=60)
async def report(context: ToolContext, file: str) -> str:
    """Report progress, and return once the file exists."""
    context.progress("<b>Half</b> of it")
    while not Path(file).exists():  # noqa: ASYNC110, ASYNC240  (another process's file)
        await asyncio.sleep(0.01)
    return "all of it"
