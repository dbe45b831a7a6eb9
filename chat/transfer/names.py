"""File names made from titles, which may contain anything."""

from __future__ import annotations

import re
from unicodedata import normalize

MAX_BYTES = 120
"""The title's share of a file name: file systems allow 255 in all."""


def slug(title: str) -> str:
    """Join a title's words with hyphens, safe in a file name; empty if it has none."""
    words = re.findall(r"\w+", normalize("NFC", title).replace("_", " "))
    cut = "-".join(words).encode("utf-8", "ignore")[:MAX_BYTES]
    return cut.decode("utf-8", "ignore").strip("-").lower()
