"""The person who runs this process, as the operating system knows them."""

from __future__ import annotations

import os
import pwd

MAX = 200
"""Code points that the audit row holds."""


def operator() -> str:
    """Return `ann`, or `root (sudo by ann)`: sudo names its caller in the environment."""
    name = _name(os.getuid())
    caller = os.environ.get("SUDO_USER", "")
    if caller and caller != name:
        name = f"{name} (sudo by {_plain(caller)})"
    return name[:MAX]


def _name(uid: int) -> str:
    """Return a user's name, which in a container may not exist."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _plain(text: str) -> str:
    """Make a text printable: the environment may hold any bytes."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
