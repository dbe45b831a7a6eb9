"""A path as a model writes it, taken apart: relative, forward slashes, nothing that misleads.

The workspace is safe whatever the parts say (`workspace.py`). What is refused here is refused so
that the person who is asked reads what is meant.
"""

from __future__ import annotations

import re
import unicodedata

from tools.core.errors import ToolError
from tools.core.text import shorten

MAX_BYTES = 1024
MAX_PARTS = 32
MAX_PART_BYTES = 255
"""What file systems take."""

_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Turns the direction of a name around, or hides in it."""


def parts_of(path: str) -> list[str]:
    """The names on the way; none is the workspace itself. Raises `ToolError`."""
    shown = repr(shorten(path))
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in path) or _INVISIBLE.search(path):
        raise ToolError(f"The path {shown} has characters that cannot be seen.")
    if len(path.encode()) > MAX_BYTES:
        raise ToolError(f"The path {shown} is longer than {MAX_BYTES} bytes.")
    if path.startswith(("/", "~")) or "\\" in path or re.match(r"[A-Za-z]:", path):
        raise ToolError(
            f"The path {shown} must be relative to the workspace, as in notes/today.md."
        )
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if any(_leads_up(part) for part in parts):
        raise ToolError(f"The path {shown} leads out of its folder: `..` is not allowed.")
    if len(parts) > MAX_PARTS or any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise ToolError(f"The path {shown} has too many or too long names.")
    return parts


def _leads_up(part: str) -> bool:
    """In whatever spelling: as it stands, percent-encoded, or in look-alikes."""
    plain = unicodedata.normalize("NFKC", part.replace("%2e", ".").replace("%2E", "."))
    return any(name.strip() == ".." for name in re.split(r"[/\\]|%2f|%5c", plain, flags=re.I))
