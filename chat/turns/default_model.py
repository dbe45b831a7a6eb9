"""Whoever runs the server hears of a default model that nothing offers, beside its work."""

from __future__ import annotations

import asyncio
import logging

from chat.llm.catalogue.models import get_catalogue

log = logging.getLogger(__name__)

LOOKS = 60
"""How often at most, `PAUSE` seconds apart: a server's list may take its time."""
PAUSE = 5.0

_said = ""


async def check() -> None:
    """Warn, once, as soon as the lists are there."""
    global _said
    for _ in range(LOOKS):
        problem = await get_catalogue().misnamed_default()
        if problem and problem != _said:
            _said = problem
            log.warning("%s", problem)
        if problem or not get_catalogue().is_waiting:
            return
        await asyncio.sleep(PAUSE)
