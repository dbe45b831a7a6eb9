"""The current time, here or in another time zone."""

from __future__ import annotations

import difflib
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tools import ToolContext, ToolError, tool


@tool(approval=False, seconds=5, repeatable=True)
def current_time(context: ToolContext, timezone: str | None = None) -> str:
    """Tell the current date, weekday and time.

    Args:
        timezone: A name like `Europe/Paris` or `UTC`. Defaults to the user's time zone.
    """
    zone = ZoneInfo(_find_zone(timezone) if timezone else context.time_zone)
    now = datetime.now(zone)
    return f"{now:%A}, {now.isoformat(sep=' ', timespec='seconds')} ({zone.key})"


def _find_zone(asked: str) -> str:
    """Return the name of the zone: accepts its name in any case, or only its city."""
    wanted = asked.strip().replace(" ", "_").casefold()
    known = _zones()
    if found := known.get(wanted):
        return found
    near = difflib.get_close_matches(wanted[:64], known, n=3)
    hint = f" Similar: {', '.join(dict.fromkeys(known[name] for name in near))}." if near else ""
    raise ToolError(f"There is no time zone {asked[:64]!r}.{hint} Use a name like Europe/Paris.")


@cache
def _zones() -> dict[str, str]:
    """Map what people write to zone names. A city that several zones share is left out."""
    names = sorted(available_timezones() | {"UTC"})
    cities: dict[str, list[str]] = {}
    for name in names:
        cities.setdefault(name.rpartition("/")[2].casefold(), []).append(name)
    clear = {city: zones[0] for city, zones in cities.items() if len(zones) == 1}
    return clear | {name.casefold(): name for name in names}
