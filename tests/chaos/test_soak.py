"""Nothing grows: a server that has worked a lot is as large as one that has worked little."""

from __future__ import annotations

import asyncio
import os
import random
import resource
from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps

from tests.chaos.sizes import sizes
from tests.chaos.visitors import Visitor
from tests.support.servers import OwnServer

pytestmark = pytest.mark.anyio
FULL = float(os.environ.get("TALOS_SOAK_SECONDS", "1200"))
VISITORS = 40
OPEN_FILES = 256
"""`ulimit -n`, soft and hard: two files per thread, one per connection, and a reserve."""
MORE_FILES, MORE_THREADS, MORE_MIB = 16, 6, 32
"""Growth allowed in a warm server: a thread not needed before, an arena of malloc."""
GROWING = {"chat_audit", "chat_importjob", "chat_keptrender", "chat_notice"}
"""Tables that may grow: one row per import, kept for 30 days; one per text shown; one per notice to
other servers, kept for an hour."""


@dataclass(frozen=True)
class Size:
    """Measure an idle server."""

    files: int
    threads: int
    mib: int
    rows: dict[str, int]

    @classmethod
    def of(cls, server: OwnServer) -> Size:
        process = Path(f"/proc/{server.talos.process.pid}")
        status = (process / "status").read_text()
        threads, kib = (
            int(status.partition(f"{name}:")[2].split()[0]) for name in ("Threads", "VmRSS")
        )
        return cls(len(list((process / "fd").iterdir())), threads, kib // 1024, rows(server))


def rows(server: OwnServer) -> dict[str, int]:
    """Count the rows of each table."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    with closing(server.database()) as database:
        cursor = database.cursor()
        return {
            table: cursor.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
            for table in tables
            if table not in GROWING
        }


async def at_rest(server: OwnServer) -> Size:
    """Return the server's size once it has closed its connections, which takes some seconds."""
    before, size = None, Size.of(server)
    while before is None or before.files != size.files or before.rows != size.rows:
        await asyncio.sleep(1.5)
        before, size = size, Size.of(server)
    return size


async def visit(visitors: list[Visitor], seconds: float) -> None:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for visitor in visitors:
            await stack.enter_async_context(visitor)
            group.create_task(visitor.stay(seconds))


@sizes("seconds", sample=8, full=FULL)
async def test_nothing_grows(own_server: OwnServer, rng: random.Random, seconds: float) -> None:
    address = own_server.start()
    resource.prlimit(own_server.talos.process.pid, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    answers: Counter[int] = Counter()
    visitors = [Visitor(address, rng, answers) for _ in range(VISITORS)]
    await visit(visitors, max(4, seconds / 5))
    warm = await at_rest(own_server)
    print(answers, warm, flush=True)
    answers.clear()
    await visit(visitors, seconds)
    done = await at_rest(own_server)
    print(answers, warm, done, sep="\n")
    assert max(answers) < 500, answers
    assert done.files <= warm.files + MORE_FILES
    assert done.threads <= warm.threads + MORE_THREADS
    assert done.mib <= warm.mib + MORE_MIB
    assert done.rows == warm.rows
    status, errors = own_server.talos.stop()
    assert status == 0
    assert "Traceback" not in errors, errors
