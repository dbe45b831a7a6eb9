"""Names for files, out of titles that may hold anything."""

from __future__ import annotations

import re
from unicodedata import normalize

MAX_BYTES = 120
"""Of the title's part: file systems take 255 in all."""


def slug(title: str) -> str:
    """Words of a title joined by hyphens; empty if it has none. Safe as a part of a file's name."""
    words = re.findall(r"\w+", normalize("NFC", title).replace("_", " "))
    cut = "-".join(words).encode("utf-8", "ignore")[:MAX_BYTES]
    return cut.decode("utf-8", "ignore").strip("-").lower()
