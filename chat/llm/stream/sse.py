"""Server-sent events as OpenAI-compatible servers write them: bytes in, JSON objects out.

Takes the bytes in whatever pieces the network cut them. Knows nothing of models or connections.
Written for the common case, in which one read holds whole events: one `splitlines`, one `orjson`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from chat.errors import ModelError
from chat.llm.failures import failures

MAX_EVENT = 2 * 1024 * 1024  # bytes: far beyond any honest chunk, small enough to hold in memory
_BOM = b"\xef\xbb\xbf"
_LONG_INTEGER = re.compile(rb"[0-9]{19}")


class EventStream:
    """One response. `done` turns true at `[DONE]`; whatever follows it is ignored."""

    def __init__(self) -> None:
        self.done = False
        self.is_rest = False
        """Of an answer that is whole: what cannot be read of it is passed over."""
        self._tail = bytearray()  # the beginning of a line whose end has not arrived
        self._data: bytes | None = None  # the last data line of an event whose blank line has not
        self._before: list[bytes] = []  # the data lines before it, which nearly no event has
        self._size = 0  # of those
        self._is_error = False  # by the name of that event
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The events that these bytes complete."""
        if self._after_cr and data:  # its line feed, if it has one, ends no second line
            self._after_cr = False
            data = data.removeprefix(b"\n")
        for line in self._lines(data):
            if self._data is None and line[:6] == b"data: " and len(line) <= MAX_EVENT:
                self._data = line[6:]  # nearly every line that is not empty
            elif (event := self._field(line) if line else self._event()) is not None:
                yield event

    def end(self) -> Iterator[dict[str, Any]]:
        """What a server left without its final blank line, if it is whole."""
        try:
            yield from [*self.feed(b"\n\n")]
        except ModelError:
            return  # a torn event is a cut answer, and that is for the caller to say

    def _lines(self, data: bytes) -> list[bytes]:
        # Without a line's end only append: joining and splitting again would be quadratic.
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
        """Nearly always adds to an event and gives none: an empty line ends it."""
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
                event = self._event()  # no JSON goes on like this: the empty line is missing
            else:
                self._before.append(self._data)
                self._size += len(self._data) + 1
                self._bound(self._size + len(value))
        self._data = value
        return event

    def _other_field(self, line: bytes) -> dict[str, Any] | None:
        """A comment, the name of an event, or JSON that somebody wrote into the stream."""
        if line.startswith(b"event:"):
            event = self._event() if (self._data or b"").endswith(b"}") else None
            self._is_error = line[6:].strip() == b"error"
            return event
        if line.startswith(b"{") and line.endswith(b"}") and not self.done:
            value = _decoded(line)
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
            raise failures.too_large()

    def _is_end(self, event: bytes) -> bool:
        """Whether nothing is to be read in an event: it is `[DONE]`, or blank."""
        self.done = event.strip().upper() == b"[DONE]"
        return self.done or event.isspace() or not event


def decode(data: bytes) -> dict[str, Any]:
    """One JSON object of a model server. Lone surrogates pass: `text.clean` replaces them.

    Integers beyond 64 bits become floats, but not those among arguments.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _decoded(data)
    else:
        if b'"arguments"' in data and _LONG_INTEGER.search(data):
            value = _decoded(data) or value
    if not isinstance(value, dict):
        raise failures.malformed()
    return value


def _error(data: bytes) -> dict[str, Any]:
    """An event that is named an error is one, whatever it looks like."""
    value = _decoded(data)
    if isinstance(value, dict) and value.get("error"):
        return value
    return {"error": value or data.decode("utf-8", "replace")}


def _decoded(data: bytes) -> Any:
    """None where it is no JSON.

    orjson refuses bytes that are not UTF-8, and escapes that are half a surrogate pair.
    """
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
