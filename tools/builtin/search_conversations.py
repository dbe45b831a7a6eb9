"""Search in the user's own earlier conversations; the port confines it to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tools import Hit, ToolContext, tool


@tool(approval=False, seconds=15, repeatable=True)
async def search_conversations(
    context: ToolContext,
    query: Annotated[str, Field(min_length=1, max_length=500)],
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
) -> str:
    """Search the titles and messages of the user's earlier conversations.

    Args:
        query: Words to look for.
        limit: Maximum number of messages to return.
    """
    hits = await context.search(query, limit)
    return "\n\n".join(_format(hit) for hit in hits[:limit]) or f"Nothing found for {query!r}."


def _format(hit: Hit) -> str:
    return f"{hit.title} ({hit.created_at}, {hit.role}):\n{hit.excerpt}"
