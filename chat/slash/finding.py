"""Commands that find conversations and take them along."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse

from chat import search as finding
from chat.access.owner import find
from chat.db.lanes import read
from chat.models import Conversation
from chat.slash.base import Caller, command, plain

LISTED = 10
"""Conversations, or places, that are listed."""


@command()
async def sessions(caller: Caller, rest: str) -> str:
    """Lists your latest conversations."""
    found = await read(_latest, caller)
    if not found:
        return "No conversations yet."
    return "\n".join(f"- [{plain(str(c))}]({c.get_absolute_url()})" for c in found)


def _latest(caller: Caller) -> list[Conversation]:
    return list(Conversation.objects.of(caller.owner).listed()[:LISTED])


@command("words")
async def search(caller: Caller, rest: str) -> str:
    """Finds what was said, in titles and messages."""
    if not rest:
        return "Type `/search` and what you are looking for."
    found = await read(finding.search, caller.owner.pk, rest, limit=LISTED + 1)
    if not found:
        return "Nothing was found."
    lines = [_hit(hit) for hit in found[:LISTED]]
    if len(found) > LISTED:
        more = f"{reverse('chat:chats')}?q={quote(rest)}"
        lines.append(f"- [More in the history of chats]({more})")
    return "\n".join(lines)


def _hit(hit: finding.Hit) -> str:
    where = reverse("chat:conversation", args=[hit.conversation_id])
    return f"- [{plain(str(hit.title) or 'New chat')}]({where}): {plain(str(hit.excerpt))}"


@command()
async def export(caller: Caller, rest: str) -> str:
    """Offers this conversation, or all of them, as files."""
    lines = [f"- [All chats, as an archive]({reverse('chat:export')})"]
    if caller.conversation_id is not None:
        found = await read(find, caller.owner, caller.conversation_id)
        for suffix, words in (("md", "This chat, to read"), ("json", "This chat, to keep")):
            address = reverse("chat:download", args=[found.pk, suffix])
            lines.insert(-1, f"- [{words}]({address})")
    return "\n".join(lines)
