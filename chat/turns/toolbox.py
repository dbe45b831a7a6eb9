"""The tools of this process, their runner, and the context of a running call."""

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
from tools.core.runner import ToolOutcome, ToolRunner

SHORTEST_SECRET = 8
"""Characters. Shorter values would be removed from ordinary text."""


@cache
def runner() -> ToolRunner:
    """Return the runner of this process, which removes keys from results."""
    return ToolRunner(lambda: load(tuple(settings.TALOS_TOOLS)), secrets=_secrets)


def _secrets() -> list[str]:
    """Read the current keys: some may be entered while the server runs."""
    configured = [settings.OPENAI_API_KEY, *settings.PROVIDER_VARIABLES.values()]
    keys = [settings.SECRET_KEY, *configured, *connections.keys()]
    return [key for key in keys if key and len(key) >= SHORTEST_SECRET]


def registry() -> Registry:
    """Return the tools of the modules in TALOS_TOOLS."""
    return runner().registry


def refusal(name: str, arguments: str) -> str:
    """Return why a tool cannot be called with these arguments, JSON text. Empty: it can."""
    outcome = runner().validate(name, arguments)
    return outcome.content if isinstance(outcome, ToolOutcome) else ""


@cache
def specs(offered: Registry) -> tuple[ToolSpec, ...]:
    """Describe the tools for a model."""
    return tuple(ToolSpec(tool.name, tool.description, tool.parameters) for tool in offered)


def context(turn: LiveTurn, *, progress: Callable[[str], None]) -> ToolContext:
    """Make the context of a call of this turn: its data, and its ways to reach Talos."""

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
