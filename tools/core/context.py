"""What a tool may know of the call that it answers, and the ports through which it reaches Talos.

Whoever runs tools fills this in; a tool that wants it has a parameter annotated `ToolContext`.
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
    """A day or a time, as it is to be shown."""


class Search(Protocol):
    """Looks through the conversations of the call's owner, and nobody else's."""

    async def __call__(self, query: str, limit: int) -> Sequence[Hit]: ...


async def no_search(query: str, limit: int) -> Sequence[Hit]:
    raise ToolError("There are no conversations to search here.")


def unheard(text: str) -> None:
    """Progress that nobody listens to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Of one call. The defaults are for tests of tools."""

    workspace: Path
    """The only folder for files: `tools.sandbox.workspace.Workspace(context.workspace)`."""
    conversation_id: str = ""
    owner_id: int | None = None
    time_zone: str = "UTC"
    progress: Callable[[str], None] = unheard
    """Says how far the call is. Always called on the event loop, whatever thread a tool is in."""
    search: Search = no_search
