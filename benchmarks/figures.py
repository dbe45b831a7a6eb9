"""The measurements: each function takes one subject and returns its figures by name.

Each stream is warmed up by one short answer, so that neither the first turn's extra work (a
conversation, a title) nor any first use is in the figures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from statistics import median, quantiles

import aiohttp

from benchmarks.client import Client
from benchmarks.subjects import Subject

Figures = dict[str, float]
QUIET = 0.03
"""Share of a core below which the warm-up is over. Titles are stored after first answers."""
_keys = count()


def prompt(kind: str, tokens: int) -> str:
    return f"k{next(_keys)} {kind} {tokens}"


@asynccontextmanager
async def clients(subject: Subject, number: int) -> AsyncIterator[list[Client]]:
    """Open connections, each in its own conversation with one answer."""
    opened = [await Client.open(subject.address) for _ in range(number)]
    try:
        await asyncio.gather(*(client.say(prompt("burst", 1)) for client in opened))
        await _wait_until_quiet(subject)
        yield opened
    finally:
        for client in opened:
            client.close()


async def _wait_until_quiet(subject: Subject) -> None:
    for _ in range(100):
        cpu = subject.cpu()
        await asyncio.sleep(0.2)
        if subject.cpu() - cpu < 0.2 * QUIET:
            return


async def paced(subject: Subject, *, streams: int, seconds: float) -> Figures:
    """Measure streams of 50 tokens a second; the window opens when all of them flow."""
    slack = 1 + streams / 33  # they do not start together, and none may end in the window
    async with clients(subject, streams) as opened:
        quiet = subject.memory()
        for client in opened:
            client.ask(prompt("paced", int(50 * (seconds + slack))))
        await asyncio.gather(*(client.begun.wait() for client in opened))
        await asyncio.sleep(0.2)
        tokens, cpu = _tokens(opened), subject.cpu()
        for client in opened:
            client.ages.clear()
        await asyncio.sleep(seconds)
        cpu, tokens = subject.cpu() - cpu, _tokens(opened) - tokens
        ages = [age / 1e6 for client in opened for age in client.ages]
        memory = (subject.memory() - quiet) / streams
        await asyncio.gather(*(client.done for client in opened))
    return {
        "cpu": cpu / tokens * 1e6,
        "p50": median(ages),
        "p99": quantiles(ages, n=100)[98],
        "memory": memory,
        "tokens": tokens / (50 * seconds * streams),
    }


async def burst(subject: Subject, *, streams: int, tokens: int) -> Figures:
    """Measure tokens as fast as they go; the figure includes the turn around them."""
    async with clients(subject, streams) as opened:
        before, cpu = _tokens(opened), subject.cpu()
        await asyncio.gather(*(client.say(prompt("burst", tokens)) for client in opened))
        cpu = subject.cpu() - cpu
        got = _tokens(opened) - before
    assert got == streams * tokens, f"{got} of {streams * tokens} tokens arrived"
    return {"cpu": cpu / got * 1e6}


async def first_delta(subject: Subject, *, turns: int) -> Figures:
    """Measure from sending a message to the first piece of an answer that starts at once."""
    waits = []
    async with clients(subject, 8) as opened:  # not one, whose history would keep growing
        for client in opened * (turns // 8):
            await client.say(prompt("burst", 1))
            waits.append((client.first_at - client.asked_at) / 1e6)
            await asyncio.sleep(0.03)
    return {"p50": median(waits), "p90": quantiles(waits, n=10)[8]}


async def turns(subject: Subject, *, people: int, each: int) -> Figures:
    """Measure answers of one token: the cost of a turn apart from its tokens."""

    async def talk(client: Client) -> None:
        for _ in range(each):
            end = await client.say(prompt("burst", 1))
            assert end["status"] == "completed", end

    async with clients(subject, people) as opened:
        cpu = subject.cpu()
        await asyncio.gather(*map(talk, opened))
        cpu = subject.cpu() - cpu
    return {"cpu": cpu / (people * each) * 1e3}


async def stop(subject: Subject, model: Subject, *, times: int) -> Figures:
    """Measure from sending `cancel` until the model server sees its client leave."""
    asked: dict[str, int] = {}
    async with clients(subject, 1) as (client,):
        for _ in range(times):
            client.ask(text := prompt("paced", 500))
            await client.begun.wait()
            asked[text.split()[0]] = time.monotonic_ns()
            client.send({"action": "cancel"})
            end = await client.done
            assert end["status"] == "cancelled", end
        async with aiohttp.request("GET", f"{model.address}closed") as response:
            closed = await response.json()
    waits = [(closed[key] - at) / 1e6 for key, at in asked.items()]
    return {"p50": median(waits), "p99": quantiles(waits, n=100, method="inclusive")[98]}


async def crowd(subject: Subject, *, people: int, turns: int) -> Figures:
    """Let everybody send at once, again and again, and count incomplete answers."""
    async with clients(subject, 1):
        pass  # modules imported at the first answer are loaded now
    opened = [await Client.open(subject.address) for _ in range(people)]
    left = iter(range(turns))
    failed = 0
    started, cpu = time.monotonic(), subject.cpu()

    async def talk(client: Client) -> None:
        nonlocal failed
        for _ in left:
            end = await client.say(prompt("burst", 5))
            failed += end["status"] != "completed"

    await asyncio.gather(*map(talk, opened))
    seconds, cpu = time.monotonic() - started, subject.cpu() - cpu
    for client in opened:
        client.close()
    return {"failed": failed, "per_second": turns / seconds, "cpu": cpu / turns * 1e3}


async def sockets(subject: Subject, *, number: int) -> Figures:
    """Measure the process's growth per idle connection, after the first one."""
    first = await Client.open(subject.address)
    await asyncio.sleep(0.2)
    before = subject.memory()
    opened = [await Client.open(subject.address) for _ in range(number)]
    await asyncio.sleep(0.5)
    grown = subject.memory() - before
    for client in [first, *opened]:
        client.close()
    return {"memory": grown / number}


async def idle(subject: Subject, *, seconds: float) -> Figures:
    """Measure a freshly started server that nobody uses."""
    await asyncio.sleep(0.3)
    memory, cpu = subject.memory(), subject.cpu()
    await asyncio.sleep(seconds)
    used = (subject.cpu() - cpu) / seconds * 1e3
    return {"seconds": subject.seconds_to_start, "memory": memory / 1024, "cpu": used}


def _tokens(opened: Sequence[Client]) -> int:
    return sum(client.tokens for client in opened)
