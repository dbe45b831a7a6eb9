"""Parse a path that a model wrote: relative, with forward slashes, and not misleading.

The workspace is safe for any parts (`workspace.py`). Paths are refused here so that the person who
decides can trust what they read.
"""

from __future__ import annotations

import re
import unicodedata

from tools.core.errors import ToolError
from tools.core.text import shorten

MAX_BYTES = 1024
MAX_PARTS = 32
MAX_PART_BYTES = 255
"""The limit of file systems."""

_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Characters that reverse the direction of a name, or are invisible in it."""


def parts_of(path: str) -> list[str]:
    """Return the names in a path; none means the workspace itself. Raises `ToolError`."""
    shown = repr(shorten(path))
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in path) or _INVISIBLE.search(path):
        raise ToolError(f"The path {shown} contains invisible characters.")
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
    """Whether a name means `..`, in any spelling: plain, percent-encoded, or in look-alikes."""
    plain = unicodedata.normalize("NFKC", part.replace("%2e", ".").replace("%2E", "."))
    return any(name.strip() == ".." for name in re.split(r"[/\\]|%2f|%5c", plain, flags=re.I))
