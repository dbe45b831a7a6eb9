"""Who runs this process, as the operating system knows them."""

from __future__ import annotations

import os
import pwd

MAX = 200
"""Code points, as the audit row holds them."""


def operator() -> str:
    """`ann`, or `root (sudo by ann)`: what sudo says of whoever called it stands in the environment."""
    name = _name(os.getuid())
    caller = os.environ.get("SUDO_USER", "")
    if caller and caller != name:
        name = f"{name} (sudo by {_plain(caller)})"
    return name[:MAX]


def _name(uid: int) -> str:
    """A container's user may have no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _plain(text: str) -> str:
    """Any text may stand in the environment, even what is no text."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
