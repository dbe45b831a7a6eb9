"""Waiting times in a long history: staff for the admin's pages, everybody during a prune."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.checkouts import Checkout
from benchmarks.client import Client
from benchmarks.figures import Figures, clients, prompt
from benchmarks.subjects import Subject

CONVERSATIONS = "/admin/chat/conversation/"
LISTS = (
    CONVERSATIONS, f"{CONVERSATIONS}?p=39", f"{CONVERSATIONS}?o=1", f"{CONVERSATIONS}?state=failed",
    f"{CONVERSATIONS}?model=qwen-8", f"{CONVERSATIONS}?tool=calculate",
    f"{CONVERSATIONS}?archived__exact=1", "/admin/chat/message/", "/admin/chat/turn/",
    "/admin/chat/turn/?status__exact=failed", "/admin/chat/toolcall/?name=calculate",
)  # fmt: skip
SEARCHES = (
    f"{CONVERSATIONS}?q=lisbon+garden", f"{CONVERSATIONS}?q=theorem&state=completed&model=demo",
    "/admin/chat/message/?q=lisbon+garden", "/admin/chat/turn/?q=theorem",
)  # fmt: skip
TIMES = 5


async def pages(subject: Subject) -> Figures:
    """Measure the slowest list and the slowest search, each by the median of some requests."""
    async with aiohttp.ClientSession(subject.address) as http:
        return {
            "start": await _time_page(http, "/admin/"),
            "list": max([await _time_page(http, path) for path in LISTS]),
            "search": max([await _time_page(http, path) for path in SEARCHES]),
        }


async def _time_page(http: aiohttp.ClientSession, path: str) -> float:
    """Return the median time of some requests, in milliseconds."""
    times = []
    for _ in range(TIMES):
        began = time.monotonic()
        async with http.get(path) as answer:
            assert answer.status == 200, path
            await answer.read()
        times.append(time.monotonic() - began)
    return median(times) * 1000


async def during_prune(subject: Subject, checkout: Checkout, data: Path, *, keep: int) -> Figures:
    """Measure the longest wait for an answer's first piece, without and during a prune."""
    async with clients(subject, 4) as opened:
        before = [await _wait_for_answer(client) for _ in range(25) for client in opened]
        began = time.monotonic()
        command = await asyncio.create_subprocess_exec(
            *checkout.command("manage.py", "prune_history", f"--keep-newest={keep}", "--yes"),
            cwd=checkout.root,
            env=checkout.environment(TALOS_DATA_DIR=str(data)),
            stdout=asyncio.subprocess.PIPE,
        )
        ended = asyncio.ensure_future(command.communicate())
        waits = []
        while not ended.done():
            waits += [await _wait_for_answer(client) for client in opened]
        said = (await ended)[0].decode()
    deleted = re.search(r"Deleted ([\d,]+) conversations", said)
    assert deleted is not None, said
    return {
        "alone": max(before),
        "during": max(waits),
        "p50": median(waits),
        "per_second": int(deleted[1].replace(",", "")) / (time.monotonic() - began),
    }


async def _wait_for_answer(client: Client) -> float:
    """Return the milliseconds from a message to its answer's first piece."""
    await client.say(prompt("burst", 1))
    return (client.first_at - client.asked_at) / 1e6
