"""Skipping whitespace in a text without copying it."""

from __future__ import annotations

import re

_BLANKS = re.compile(r"\s*")


def end_of_blanks(text: str, at: int) -> int:
    """Return where the whitespace that begins at `at` ends."""
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at
