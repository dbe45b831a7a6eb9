"""Warns in the log, in the background, of a default model that nothing offers."""

from __future__ import annotations

import asyncio
import logging

from chat.llm.catalogue.models import get_catalogue

log = logging.getLogger(__name__)

ATTEMPTS = 60
"""At most so many, `PAUSE` seconds apart: a server's list may take a while."""
PAUSE = 5.0

_warned_of = ""


async def check() -> None:
    """Warn once, as soon as the lists of models are known."""
    global _warned_of
    for _ in range(ATTEMPTS):
        problem = await get_catalogue().misnamed_default()
        if problem and problem != _warned_of:
            _warned_of = problem
            log.warning("%s", problem)
        if problem or not get_catalogue().is_waiting:
            return
        await asyncio.sleep(PAUSE)
