"""Server-sent events as OpenAI-compatible servers write them: bytes in, JSON objects out.

The bytes may be cut anywhere. This module knows nothing of models or connections. It is written for
the common case, in which one read holds whole events: one `splitlines`, one `orjson`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from chat.errors import ModelError
from chat.llm.failures import errors

MAX_EVENT = 2 * 1024 * 1024  # bytes: far beyond any real chunk, small enough to hold in memory
_BOM = b"\xef\xbb\xbf"
_LONG_INTEGER = re.compile(rb"[0-9]{19}")


class EventStream:
    """The events of one response. `done` becomes true at `[DONE]`; anything after it is ignored."""

    def __init__(self) -> None:
        self.done = False
        self.is_rest = False
        """Whether the answer is complete, so that unreadable data is skipped."""
        self._tail = bytearray()  # the beginning of an incomplete line
        self._data: bytes | None = None  # the last data line of an incomplete event
        self._before: list[bytes] = []  # data lines before it, which almost no event has
        self._size = 0  # of `_before`
        self._is_error = False  # whether the event is named `error`
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events that these bytes complete."""
        if self._after_cr and data:  # the line feed of a CRLF ends no second line
            self._after_cr = False
            data = data.removeprefix(b"\n")
        for line in self._lines(data):
            if self._data is None and line[:6] == b"data: " and len(line) <= MAX_EVENT:
                self._data = line[6:]  # nearly every non-empty line
            elif (event := self._field(line) if line else self._event()) is not None:
                yield event

    def end(self) -> Iterator[dict[str, Any]]:
        """Yield a last event that lacks its blank line, if it is complete."""
        try:
            yield from [*self.feed(b"\n\n")]
        except ModelError:
            return  # an incomplete event means a cut answer, which the caller reports

    def _lines(self, data: bytes) -> list[bytes]:
        # Without a line ending, only append: joining and splitting again would be quadratic.
        if b"\n" not in data and b"\r" not in data:
            self._tail += data
            self._bound(len(self._tail))
            return []
        lines = (bytes(self._tail) + data if self._tail else data).splitlines()
        self._after_cr = data.endswith(b"\r")
        self._tail.clear()
        if not data.endswith((b"\n", b"\r")):
            self._tail += lines.pop()
        return lines

    def _field(self, line: bytes) -> dict[str, Any] | None:
        """Add a line to the current event, which an empty line ends.

        Returns an event only if the empty line after it is missing.
        """
        self._bound(len(line))
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line.startswith(b"data:"):
            return self._other_field(line)
        value = line[6:] if line[5:6] == b" " else line[5:]
        event = None
        if self._data is not None:
            if value.startswith((b"{", b"[DONE]")) and self._data.endswith(b"}"):
                event = self._event()  # no JSON continues like this: the empty line is missing
            else:
                self._before.append(self._data)
                self._size += len(self._data) + 1
                self._bound(self._size + len(value))
        self._data = value
        return event

    def _other_field(self, line: bytes) -> dict[str, Any] | None:
        """Read a comment, an event's name, or bare JSON in the stream."""
        if line.startswith(b"event:"):
            event = self._event() if (self._data or b"").endswith(b"}") else None
            self._is_error = line[6:].strip() == b"error"
            return event
        if line.startswith(b"{") and line.endswith(b"}") and not self.done:
            value = _decode_leniently(line)
            return value if isinstance(value, dict) else None
        return None

    def _event(self) -> dict[str, Any] | None:
        data, self._data = self._data, None
        if self._before:
            data = b"\n".join([*self._before, data or b""])
            self._before, self._size = [], 0
        if data is None or self.done:
            return None
        if self._is_error:
            self._is_error = False
            return _error(data)
        if data[:1] != b"{" and (self._is_end(data) or self.is_rest):
            return None
        return decode(data)

    def _bound(self, size: int) -> None:
        if size > MAX_EVENT:
            raise errors.too_large()

    def _is_end(self, event: bytes) -> bool:
        """Whether an event has no content: it is `[DONE]` or blank."""
        self.done = event.strip().upper() == b"[DONE]"
        return self.done or event.isspace() or not event


def decode(data: bytes) -> dict[str, Any]:
    """Decode one JSON object. Lone surrogates pass: `text.storable` replaces them.

    Integers beyond 64 bits become floats, except in arguments.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _decode_leniently(data)
    else:
        if b'"arguments"' in data and _LONG_INTEGER.search(data):
            value = _decode_leniently(data) or value
    if not isinstance(value, dict):
        raise errors.malformed()
    return value


def _error(data: bytes) -> dict[str, Any]:
    """Return an event named `error` as an error, whatever its content."""
    value = _decode_leniently(data)
    if isinstance(value, dict) and value.get("error"):
        return value
    return {"error": value or data.decode("utf-8", "replace")}


def _decode_leniently(data: bytes) -> Any:
    """Decode JSON that orjson refuses: invalid UTF-8, or escapes of half a surrogate pair.

    Returns None if it is not JSON.
    """
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
