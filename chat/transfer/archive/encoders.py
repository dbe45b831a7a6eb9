"""Encoding conversations as JSON Lines or JSON, both with the same objects.

Every byte written depends on the rows alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson

from chat.transfer.archive.format import FORMAT, VERSION
from chat.transfer.archive.older import FirstVersion
from chat.transfer.archive.rows import Json, Stored


class Encoder(Protocol):
    """Turns conversations into the bytes of a file."""

    suffix: str
    media_type: str
    begin: bytes
    """Written before the first conversation in a file."""
    between: bytes
    end: bytes

    def encode(self, stored: Stored) -> Iterator[bytes]:
        """Yield one conversation in pieces."""


class JsonLines:
    """One conversation per line."""

    suffix = "jsonl"
    media_type = "application/jsonl"
    begin = b""
    between = b"\n"
    end = b"\n"

    def __init__(self, older: FirstVersion | None = None) -> None:
        """With `older`, write that version instead of the current one."""
        self._older = older

    def encode(self, stored: Stored) -> Iterator[bytes]:
        older = self._older
        head = older.head(stored.head) if older else stored.head
        yield encode_json(head)[:-1] + b',"messages":['
        comma = b""
        for message in stored.load(stored.outline):
            yield comma + encode_json(older.message(message) if older else message)
            comma = b","
        yield b"]}"


class JsonDocument(JsonLines):
    """One JSON object with all conversations."""

    suffix = "json"
    media_type = "application/json"
    between = b",\n"
    end = b"\n]}\n"

    def __init__(self, older: FirstVersion | None = None) -> None:
        super().__init__(older)
        values = (FORMAT.encode(), 1 if older else VERSION)
        self.begin = b'{"format":"%s","version":%d,"conversations":[\n' % values


def encode_json(value: Json) -> bytes:
    return orjson.dumps(value, _plain, orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Decimal):
        return f"{value:.8f}"
    raise TypeError(type(value))


def moment(value: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds: `2026-11-23T07:00:00.000000Z`."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"
