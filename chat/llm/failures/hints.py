"""Reads how long a server asks to wait before the next attempt, from headers or its message."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNIT = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)"
_AMOUNT = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,9}})?)\s?({_UNIT})(?![a-z])", re.IGNORECASE)
_WAIT = re.compile(
    r"(?:again|retry|retrying|wait|available|reset|resets)\s(?:(?:in|after|for|at least|about)\s){0,2}"
    rf"((?:\d{{1,9}}(?:\.\d{{1,9}})?\s?{_UNIT}\s?){{1,4}})(?![a-z])",
    re.IGNORECASE,
)


def requested_wait(headers: Mapping[str, str], message: str) -> float:
    """Return the seconds to wait, from the first source that names any; 0 if none does."""
    named = {name.lower(): value for name, value in headers.items()}
    return (
        _milliseconds(named.get("retry-after-ms"))
        or _retry_after(named.get("retry-after"))
        or wait_in_words(message)
        or _reset(named)
    )


def wait_in_words(message: str) -> float:
    """Return the seconds in text like "try again in 7.66s", "retry in 1m30s", "wait 20 seconds"."""
    found = _WAIT.search(message)
    return duration(found[1]) if found else 0


def duration(text: str) -> float:
    """Return the seconds in a duration such as 6m0s, 500ms or 37.5s."""
    return sum(float(number) * _unit(unit.lower()) for number, unit in _AMOUNT.findall(text))


def for_people(seconds: float) -> str:
    """Return a duration for display."""
    if seconds < 90:
        number, unit = max(1, round(seconds)), "second"
    elif seconds < 5400:
        number, unit = round(seconds / 60), "minute"
    else:
        number, unit = round(seconds / 3600), "hour"
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _unit(name: str) -> float:
    return _UNITS["ms" if name.startswith(("ms", "milli")) else name[0]]


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None  # neither NaN nor infinity


def _milliseconds(text: str | None) -> float:
    return (_number(text) or 0) / 1000


def _retry_after(text: str | None) -> float:
    """Return the seconds in `Retry-After`: a number, a date, or a duration."""
    if (number := _number(text)) is not None:
        return number
    try:
        wait = (parsedate_to_datetime(text or "") - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return duration((text or "")[:50])
    return max(0.0, wait)


def _reset(named: Mapping[str, str]) -> float:
    """Return the longest wait in the `x-ratelimit-reset…` headers of exhausted limits."""
    waits = [0.0]
    for name, value in named.items():
        of = name.removeprefix("x-ratelimit-reset")
        if of != name and named.get(f"x-ratelimit-remaining{of}", "0").strip() == "0":
            waits.append(_seconds_until(value[:50]))
    return max(waits)


def _seconds_until(value: str) -> float:
    """Return seconds from a duration, a number, or a Unix time in seconds or milliseconds."""
    number = _number(value)
    if number is None:
        return duration(value)
    if number > 1e11:
        number /= 1000
    return max(0.0, number - time.time()) if number > 1e9 else number
