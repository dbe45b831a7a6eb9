"""Objects of the export read field by field: one of an odd type costs itself, and is noted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from chat.transfer.archive.format import YEARS

MAX_NOTES = 20
_MAX_SECONDS = 1e11
"""Beyond it a time counts milliseconds, or less: it would be the year 5138."""
_MAX_TIME = 40
"""Characters of a time in words."""
_TRUE = {"true", "1", "yes", "on"}

T = TypeVar("T")


class Notes:
    """What was not understood of a conversation, in words; the first ones of many."""

    def __init__(self) -> None:
        self._said: dict[str, None] = {}
        self._more = 0

    def add(self, note: str) -> None:
        if len(self._said) < MAX_NOTES:
            self._said[note] = None
        elif note not in self._said:
            self._more += 1

    @property
    def of_messages(self) -> bool:
        """Some are of messages, rather than of the conversation."""
        return any(note.startswith("message ") for note in self._said)

    def __iter__(self) -> Iterator[str]:
        yield from self._said
        if self._more:
            yield f"and {self._more:,} more"


class Fields:
    """An object. Missing and `null` are the same; what has another type is as if missing."""

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
        """The same, where odd types are nobody's loss."""
        return Fields(self._raw, "", Notes())

    def raw(self, key: str) -> Any:
        return self._raw.get(key)

    def text(self, key: str) -> str:
        """A number is taken as it is written."""
        found = self._raw.get(key)
        if isinstance(found, str):
            return found
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
        return self._none(key, found, "text", "")

    def values(self, key: str) -> list[Any]:
        found = self._raw.get(key)
        return found if isinstance(found, list) else self._none(key, found, "a list", [])

    def inner(self, key: str) -> Fields:
        found = self._raw.get(key)
        return self.child(
            found if isinstance(found, dict) else self._none(key, found, "an object", {})
        )

    def child(self, raw: dict[str, Any]) -> Fields:
        """An object within this one."""
        return Fields(raw, self._where, self._notes)

    def each(self, key: str) -> list[Fields]:
        """Those of a list; anything else is skipped."""
        found = self.values(key)
        return [self.child(one) for one in found if isinstance(one, dict)]

    def flag(self, key: str) -> bool:
        found = self._raw.get(key)
        if isinstance(found, str):
            return found.strip().lower() in _TRUE
        if isinstance(found, bool | int | float):
            return found == 1
        return self._none(key, found, "yes or no", False)

    def moment(self, key: str) -> datetime | None:
        found = self._raw.get(key)
        return moment(found) or self._none(key, None if found == 0 else found, "a time", None)

    def _none(self, key: str, found: object, wanted: str, instead: T) -> T:
        if found is not None:
            self.note(f"{key} is not {wanted}")
        return instead


def moment(value: object) -> datetime | None:
    """A time in seconds (or milliseconds, and so on) or as ISO 8601; UTC if it says nothing else.

    None: it is none, or absurd.
    """
    if isinstance(value, str):
        return _written(value.strip()) if len(value) <= _MAX_TIME else None
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


def _written(text: str) -> datetime | None:
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
