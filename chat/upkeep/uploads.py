"""Uploaded files are imported beside the server, one at a time, in a process of their own.

What is read of a large file then takes no time from the event loop, and its memory goes back to the
system. A job outlives this server: the next one goes on with it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from django.conf import settings

from chat.db.lanes import read, write
from chat.services.imports import jobs

log = logging.getLogger(__name__)

FIRST_WAIT = 1.0
LONGEST_WAIT = 600.0
"""Seconds after a failure."""


@dataclass(frozen=True)
class _Failure:
    status: int
    """Of the process."""
    wait: float
    until: float
    """Of the clock: when the next one is begun."""


_failures: dict[UUID, _Failure] = {}
"""The last one of each file of which the process failed, for whatever reason."""


async def run() -> None:
    """Import what waits, one file after the other."""
    while job_id := _next(await read(jobs.waiting)):
        _note(job_id, await _import(job_id))


def _next(waiting: list[UUID]) -> UUID | None:
    """The oldest, but for those that failed just now."""
    due = (
        job_id
        for job_id in waiting
        if job_id not in _failures or _failures[job_id].until <= monotonic()
    )
    return next(due, None)


def _note(job_id: UUID, status: int) -> None:
    """A failure is logged once, and the next attempt waits twice as long as this one did."""
    before = _failures.pop(job_id, None)
    if not status:
        return
    wait = min(before.wait * 2, LONGEST_WAIT) if before else FIRST_WAIT
    _failures[job_id] = _Failure(status, wait, monotonic() + wait)
    if before is None or before.status != status:
        log.error("The import of an uploaded file ended with status %s: %s", status, job_id)


async def tidy() -> None:
    await write(jobs.tidy)


async def _import(job_id: UUID) -> int:
    """The status with which its process ended."""
    command = (sys.executable, str(settings.BASE_DIR / "manage.py"), "import_upload", str(job_id))
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL)
    try:
        return await process.wait()
    except asyncio.CancelledError:  # the server ends: the next one goes on
        with suppress(ProcessLookupError):
            process.terminate()
        raise
