"""Conversations into bytes: JSON Lines and JSON, both with the same objects.

What is written depends on the rows alone, down to the byte.
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
    """How conversations look in a file."""

    suffix: str
    media_type: str
    begin: bytes
    """Before the first of several in one file."""
    between: bytes
    end: bytes

    def encode(self, stored: Stored) -> Iterator[bytes]:
        """One conversation, piece by piece."""


class JsonLines:
    """One conversation a line."""

    suffix = "jsonl"
    media_type = "application/jsonl"
    begin = b""
    between = b"\n"
    end = b"\n"

    def __init__(self, older: FirstVersion | None = None) -> None:
        """`older`: in that version, in place of the present one."""
        self._older = older

    def encode(self, stored: Stored) -> Iterator[bytes]:
        older = self._older
        head = older.head(stored.head) if older else stored.head
        yield encoded(head)[:-1] + b',"messages":['
        comma = b""
        for message in stored.messages(stored.said):
            yield comma + encoded(older.message(message) if older else message)
            comma = b","
        yield b"]}"


class JsonDocument(JsonLines):
    """One JSON object that holds them all."""

    suffix = "json"
    media_type = "application/json"
    between = b",\n"
    end = b"\n]}\n"

    def __init__(self, older: FirstVersion | None = None) -> None:
        super().__init__(older)
        said = (FORMAT.encode(), 1 if older else VERSION)
        self.begin = b'{"format":"%s","version":%d,"conversations":[\n' % said


def encoded(value: Json) -> bytes:
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
