"""Reading objects of the export field by field; a field of an odd type is skipped and noted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from chat.transfer.archive.format import YEARS

MAX_NOTES = 20
_MAX_SECONDS = 1e11
"""A larger time (the year 5138) is in milliseconds or smaller units."""
_MAX_TIME = 40
"""The most characters of a time written as text."""
_TRUE = {"true", "1", "yes", "on"}

T = TypeVar("T")


class Notes:
    """Notes on what was not understood in a conversation; the first few, and a count of the rest."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._more = 0

    def add(self, note: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes[note] = None
        elif note not in self._notes:
            self._more += 1

    @property
    def concern_messages(self) -> bool:
        """Whether some notes concern messages, not the conversation as a whole."""
        return any(note.startswith("message ") for note in self._notes)

    def __iter__(self) -> Iterator[str]:
        yield from self._notes
        if self._more:
            yield f"and {self._more:,} more"


class Fields:
    """An object. `null` and values of another type count as missing."""

    __slots__ = ("_notes", "_raw", "_where")

    def __init__(self, raw: object, where: str, notes: Notes) -> None:
        self._raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        self._where = where
        self._notes = notes

    def __bool__(self) -> bool:
        return bool(self._raw)

    def __contains__(self, key: str) -> bool:
        return key in self._raw

    def note(self, what: str) -> None:
        self._notes.add(f"{self._where}: {what}" if self._where else what)

    @property
    def quiet(self) -> Fields:
        """The same object, without noting odd types."""
        return Fields(self._raw, "", Notes())

    def raw(self, key: str) -> Any:
        return self._raw.get(key)

    def text(self, key: str) -> str:
        """Return a text; a number counts as text."""
        found = self._raw.get(key)
        if isinstance(found, str):
            return found
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
        return self._reject(key, found, "text", "")

    def values(self, key: str) -> list[Any]:
        found = self._raw.get(key)
        return found if isinstance(found, list) else self._reject(key, found, "a list", [])

    def inner(self, key: str) -> Fields:
        found = self._raw.get(key)
        return self.child(
            found if isinstance(found, dict) else self._reject(key, found, "an object", {})
        )

    def child(self, raw: dict[str, Any]) -> Fields:
        """An object within this one."""
        return Fields(raw, self._where, self._notes)

    def each(self, key: str) -> list[Fields]:
        """Return the objects in a list, skipping other items."""
        found = self.values(key)
        return [self.child(one) for one in found if isinstance(one, dict)]

    def flag(self, key: str) -> bool:
        found = self._raw.get(key)
        if isinstance(found, str):
            return found.strip().lower() in _TRUE
        if isinstance(found, bool | int | float):
            return found == 1
        return self._reject(key, found, "yes or no", False)

    def moment(self, key: str) -> datetime | None:
        found = self._raw.get(key)
        return moment(found) or self._reject(key, None if found == 0 else found, "a time", None)

    def _reject(self, key: str, found: object, wanted: str, instead: T) -> T:
        if found is not None:
            self.note(f"{key} is not {wanted}")
        return instead


def moment(value: object) -> datetime | None:
    """Read a time in seconds (or milliseconds and so on) or as ISO 8601, in UTC unless it says otherwise.

    None: it is not a time, or absurd.
    """
    if isinstance(value, str):
        return _parse(value.strip()) if len(value) <= _MAX_TIME else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
        while _MAX_SECONDS < abs(seconds) < math.inf:
            seconds /= 1000
        found = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if seconds and found.year in YEARS else None


def _parse(text: str) -> datetime | None:
    try:
        return moment(float(text))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in YEARS else None
