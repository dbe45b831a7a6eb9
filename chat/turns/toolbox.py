"""The tools of this process: what is offered, who runs it, and what a running call may reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from django.conf import settings
from django.utils import timezone

from chat import connections, search
from chat.db.lanes import read
from chat.llm.base import ToolSpec
from chat.turns.live import LiveTurn
from tools.core.context import Hit, ToolContext
from tools.core.registry import Registry, load
from tools.core.runner import ToolRunner

SHORTEST_SECRET = 8
"""Characters. A shorter value would be struck out of ordinary text."""


@cache
def runner() -> ToolRunner:
    """Of the whole process; what it returns is free of keys."""
    return ToolRunner(lambda: load(tuple(settings.TALOS_TOOLS)), secrets=_secrets)


def _secrets() -> list[str]:
    """Of now: keys may be entered while the server runs."""
    configured = [settings.OPENAI_API_KEY, *settings.PROVIDER_VARIABLES.values()]
    keys = [settings.SECRET_KEY, *configured, *connections.keys()]
    return [key for key in keys if key and len(key) >= SHORTEST_SECRET]


def registry() -> Registry:
    """The tools of the modules that TALOS_TOOLS names."""
    return runner().registry


@cache
def specs(offered: Registry) -> tuple[ToolSpec, ...]:
    """The tools as a model is told of them."""
    return tuple(ToolSpec(tool.name, tool.description, tool.parameters) for tool in offered)


def context(turn: LiveTurn, *, progress: Callable[[str], None]) -> ToolContext:
    """What a call of this turn may know, and the ports through which it reaches Talos."""

    async def search_own(query: str, limit: int) -> Sequence[Hit]:
        found = await read(search.search, turn.owner_id, query, limit=limit)
        return [
            Hit(
                conversation_id=str(hit.conversation_id),
                title=str(hit.title),
                role=hit.role,
                excerpt=str(hit.excerpt),
                created_at=f"{timezone.localtime(hit.said_at):%Y-%m-%d}",
            )
            for hit in found
        ]

    settings.WORKSPACE.mkdir(mode=0o700, exist_ok=True)
    return ToolContext(
        workspace=settings.WORKSPACE,
        conversation_id=str(turn.conversation_id),
        owner_id=turn.owner_id,
        time_zone=settings.TIME_ZONE,
        progress=progress,
        search=search_own,
    )
