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
from uuid import UUID

from django.conf import settings

from chat.database import read, write
from chat.services import jobs

log = logging.getLogger(__name__)


async def run() -> None:
    """Import what waits, one file after the other."""
    while waiting := await read(jobs.waiting):
        if not await _is_run(waiting[0]):
            return  # the next look tries again


async def tidy() -> None:
    await write(jobs.tidy)


async def _is_run(job_id: UUID) -> bool:
    command = (sys.executable, str(settings.BASE_DIR / "manage.py"), "import_upload", str(job_id))
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL)
    try:
        status = await process.wait()
    except asyncio.CancelledError:  # the server ends: the next one goes on
        with suppress(ProcessLookupError):
            process.terminate()
        raise
    if status:
        log.error("The import of an uploaded file ended with status %s: %s", status, job_id)
    return status == 0
