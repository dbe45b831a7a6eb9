"""Reading from a server, as a page or a script does, and from an archive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.client import Chat, Frame
from tests.support.processes import SECONDS
from tests.upgrades.kept import conversations


async def fetch(address: str, path: str) -> Any:
    """Return a page's text or the parsed JSON. Any status but 200 is an error."""
    timeout = aiohttp.ClientTimeout(SECONDS)
    async with (
        aiohttp.ClientSession(raise_for_status=True, timeout=timeout) as http,
        http.get(f"{address}{path}", allow_redirects=False) as response,
    ):
        assert response.status == 200, path
        if response.content_type == "application/json":
            return await response.json()
        return await response.text()


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Chat]:
    """Open a connection and close it at the end."""
    chat = await Chat(address).open()
    chat.patience = SECONDS  # a server that has just started imports a model's client first
    try:
        yield chat
    finally:
        await chat.close()


async def settled(address: str, session_id: str) -> Frame:
    """Return a conversation once no answer in it is unfinished."""
    async with opened(address) as chat, asyncio.timeout(SECONDS):
        snapshot = await chat.resume(session_id)
        while snapshot["turn"] is not None or snapshot["messages"][-1]["status"] == "queued":
            await chat.until("done")
            snapshot = await chat.resume(session_id)
    return snapshot


def branch(conversation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the current branch of an archived conversation, oldest first."""
    messages = {message["id"]: message for message in conversation["messages"]}
    found = [messages[conversation["leaf"]]]
    while found[-1]["parent"]:
        found.append(messages[found[-1]["parent"]])
    return found[::-1]


def differences(now: bytes, before: bytes) -> tuple[list[str], list[str]]:
    """Compare two archives. Return the lost ids, and the ids of conversations that differ."""
    old, new = conversations(before), conversations(now)
    lost = [key for key in old if key not in new]
    return lost, [key for key in old if key in new and _lacks(new[key], old[key])]


def _lacks(now: Any, before: Any) -> bool:
    """Whether a newer format has everything an older one says; it may have more."""
    if isinstance(before, dict):
        keys = before.keys() - {"version"}
        return not keys <= now.keys() or any(_lacks(now[key], before[key]) for key in keys)
    if isinstance(before, list):
        return len(now) != len(before) or any(map(_lacks, now, before))
    return bool(now != before)
