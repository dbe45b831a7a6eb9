"""The choice of a turn's model."""

from __future__ import annotations

import asyncio

from django.conf import settings

from chat.errors import ModelLoading
from chat.llm.catalogue.models import Catalogue, Resolved
from chat.models import Turn
from chat.turns.journal import Journal
from chat.turns.live import Entry, LiveTurn
from chat.turns.waiting import WaitNotes

LOADING = "The model is loading"
AGAIN = 1.0
"""Seconds between two attempts while a server loads its model."""


async def of(turn: LiveTurn, journal: Journal, catalogue: Catalogue) -> Resolved:
    """Return the turn's model, or the default one, which then becomes the turn's.

    Waits while a server loads the model: raises `ModelLoading` after TALOS_FIRST_TOKEN_SECONDS.
    Other errors of `resolve` are raised at once.
    """
    with WaitNotes(turn, journal) as waits:
        found = await _resolve(turn.model, catalogue, waits)
    if not turn.model:
        turn.model = found.id
        journal.add(turn, Entry(write=lambda _: _keep(turn)))
    return found


async def _resolve(model: str, catalogue: Catalogue, waits: WaitNotes) -> Resolved:
    loop = asyncio.get_running_loop()
    until, is_told = loop.time() + settings.TALOS_FIRST_TOKEN_SECONDS, False
    while True:
        try:
            return await catalogue.resolve(model)
        except ModelLoading:
            if loop.time() >= until:
                raise
        if not is_told:
            waits.say(LOADING)
            is_told = True
        await asyncio.sleep(AGAIN)


def _keep(turn: LiveTurn) -> None:
    Turn.objects.filter(pk=turn.turn_id).update(model=turn.model)
