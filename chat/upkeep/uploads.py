"""Importing uploaded files beside the server, one at a time, each in its own process.

So a large file takes no time from the event loop, and its memory is freed afterwards. A job
outlives this server: the next one resumes it.
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
"""Seconds to wait after failures."""


@dataclass(frozen=True)
class _Failure:
    status: int
    """The exit status of the process."""
    wait: float
    until: float
    """The time on the monotonic clock of the next attempt."""


_failures: dict[UUID, _Failure] = {}
"""The last failure of each job whose process failed for any reason."""


async def run() -> None:
    """Import the waiting files, one after another."""
    while job_id := _next(await read(jobs.waiting)):
        _note(job_id, await _import(job_id))


def _next(waiting: list[UUID]) -> UUID | None:
    """Return the oldest job, except those that failed recently."""
    due = (
        job_id
        for job_id in waiting
        if job_id not in _failures or _failures[job_id].until <= monotonic()
    )
    return next(due, None)


def _note(job_id: UUID, status: int) -> None:
    """Log a failure once, and double the wait before the next attempt."""
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
    """Import a file in its own process and return the exit status."""
    command = (sys.executable, str(settings.BASE_DIR / "manage.py"), "import_upload", str(job_id))
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL)
    try:
        return await process.wait()
    except asyncio.CancelledError:  # the server is stopping; the next one resumes the job
        with suppress(ProcessLookupError):
            process.terminate()
        raise
