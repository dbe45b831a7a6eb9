"""Rendering through a pool."""

from __future__ import annotations

from chat.markdown.jobs import Job, Outcome
from chat.markdown.pool import Pool

SECONDS = 60
"""Longest wait."""


def text(pool: Pool, markdown: str, *, key: str = "mine") -> Outcome:
    return pool.submit(key, Job("text", markdown)).result(SECONDS)
