"""What a tool knows about its call, and the ports through which it reaches Talos.

The caller of the runner fills this in; a tool gets it by a parameter annotated `ToolContext`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.core.errors import ToolError


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that a search found."""

    conversation_id: str
    title: str
    role: str
    excerpt: str
    created_at: str
    """A day or a time, formatted for display."""


class Search(Protocol):
    """Searches the conversations of the call's owner, and no others."""

    async def __call__(self, query: str, limit: int) -> Sequence[Hit]: ...


async def no_search(query: str, limit: int) -> Sequence[Hit]:
    raise ToolError("There are no conversations to search here.")


def ignore_progress(text: str) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """The context of one call. The defaults are for tests of tools."""

    workspace: Path
    """The only folder for files: `tools.sandbox.workspace.Workspace(context.workspace)`."""
    conversation_id: str = ""
    owner_id: int | None = None
    time_zone: str = "UTC"
    progress: Callable[[str], None] = ignore_progress
    """Reports how far the call is. Always called on the event loop, whatever thread the tool runs in."""
    search: Search = no_search
