"""Finding the time zone's name for the settings."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from talos_site.environment import wrong


def check(name: str) -> str:
    """Return the zone that `TALOS_TIME_ZONE` names, if it exists."""
    if not _exists(name):
        raise wrong("TALOS_TIME_ZONE", name, "use a name like Europe/Paris or UTC")
    return name


def of_this_machine() -> str:
    candidates = (os.environ.get("TZ", "").lstrip(":"), _timezone_file(), _localtime_link())
    return next((name for name in candidates if _exists(name)), "UTC")


def _timezone_file() -> str:
    try:
        return Path("/etc/timezone").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _localtime_link() -> str:
    return str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]


def _exists(name: str) -> bool:
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (KeyError, ValueError, OSError):  # unknown, not a relative path, a directory
        return False
