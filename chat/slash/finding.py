"""Commands that find and export conversations."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse

from chat import search as finding
from chat.access.owner import find
from chat.db.lanes import read
from chat.models import Conversation
from chat.slash.base import Caller, command, escape

LISTED = 10
"""Conversations or search results that are listed."""


@command()
async def sessions(caller: Caller, rest: str) -> str:
    """Lists your latest conversations."""
    found = await read(_latest, caller)
    if not found:
        return "No conversations yet."
    return "\n".join(f"- [{escape(str(c))}]({c.get_absolute_url()})" for c in found)


def _latest(caller: Caller) -> list[Conversation]:
    return list(Conversation.objects.of(caller.owner).listed()[:LISTED])


@command("words")
async def search(caller: Caller, rest: str) -> str:
    """Searches titles and messages."""
    if not rest:
        return "Type `/search` and the words you are looking for."
    found = await read(finding.search, caller.owner.pk, rest, limit=LISTED + 1)
    if not found:
        return "Nothing found."
    lines = [_hit(hit) for hit in found[:LISTED]]
    if len(found) > LISTED:
        more = f"{reverse('chat:chats')}?q={quote(rest)}"
        lines.append(f"- [More in the chat history]({more})")
    return "\n".join(lines)


def _hit(hit: finding.Hit) -> str:
    where = reverse("chat:conversation", args=[hit.conversation_id])
    return f"- [{escape(str(hit.title) or 'New chat')}]({where}): {escape(str(hit.excerpt))}"


@command()
async def export(caller: Caller, rest: str) -> str:
    """Links to downloads of this conversation and of all conversations."""
    lines = [f"- [All chats as an archive]({reverse('chat:export')})"]
    if caller.conversation_id is not None:
        found = await read(find, caller.owner, caller.conversation_id)
        for suffix, words in (("md", "This chat as Markdown"), ("json", "This chat as JSON")):
            address = reverse("chat:download", args=[found.pk, suffix])
            lines.insert(-1, f"- [{words}]({address})")
    return "\n".join(lines)
