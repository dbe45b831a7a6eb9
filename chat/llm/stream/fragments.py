"""Joins the fragments of tool calls that OpenAI-compatible servers stream.

By the protocol, the first fragment has index, id and name, and later ones the index and a piece of
the arguments. Real servers leave out the index or the id, repeat id and name, send them late, or
send whole calls under one index. This module reads all of these, and only this part of a chunk.
"""

from __future__ import annotations

import uuid

from chat.llm.base import ToolRequest
from chat.llm.failures import errors
from chat.llm.stream.opaque import json_text
from chat.llm.stream.tool_call import Call, Fields, extra_content
from chat.llm.text import storable

MAX_CALLS = 128
MAX_SIZE = 1024 * 1024
"""Code points of all calls in an answer, the same limit as for its text."""


class ToolFragments:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self.size = 0
        self._calls: list[Call] = []
        self._at: dict[int, Call] = {}

    def add_delta(self, delta: Fields) -> None:
        """Add all fragments of calls in one delta."""
        if calls := delta.get("tool_calls"):
            extra = extra_content(delta)
            self.add(calls, extra)
        elif function := delta.get("function_call"):  # the protocol's older form: one call
            self.add([{"index": 0, "function": function}])

    def add(self, fragments: object, extra: Fields | None = None) -> None:
        """Add the `tool_calls` of one delta. The delta's own `extra` goes to its first call."""
        fragments = [fragments] if isinstance(fragments, dict) else fragments
        if not isinstance(fragments, list):
            return
        for position, fragment in enumerate(fragments):
            if isinstance(fragment, dict):
                self._add(fragment, position, extra or {})
                extra = None

    def _add(self, fragment: Fields, position: int, extra: Fields) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, dict) else fragment
        call_id, name = _string(fragment.get("id")), _string(function.get("name"))
        arguments = _arguments(function.get("arguments"))
        call = self._call(_index(fragment.get("index")), position, call_id, name, arguments)
        extra = extra_content(fragment) or extra_content(function) or extra
        self.size += call.add(call_id, name, arguments, extra)
        if self.size > MAX_SIZE:
            raise errors.too_large()

    def _call(
        self, index: int | None, position: int, call_id: str, name: str, arguments: str
    ) -> Call:
        if index is None and call_id:
            for known in self._calls:
                if known.call_id == call_id:
                    return known
        slot = position if index is None else index
        call = self._at.get(slot)
        if call is None or call.is_followed_by(call_id, name, arguments):
            call = self._at[slot] = Call()
            self._calls.append(call)
            if len(self._calls) > MAX_CALLS:
                raise errors.too_large()
        return call

    def requests(self, source: str = "") -> list[ToolRequest]:
        """Return all calls with content, each with a unique id. `source`: their sender."""
        taken: set[str] = set()
        found = []
        for call in self._calls:
            if not call.has_content:
                continue
            call_id = storable(call.call_id)
            if not call_id or call_id in taken:
                call_id = f"call_{uuid.uuid4().hex}"
            taken.add(call_id)
            found.append(call.request(call_id, source))
        return found


def _index(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:4])
    return value if isinstance(value, int) else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: object) -> str:
    # Some servers send the arguments as the object itself.
    if isinstance(value, dict):
        return json_text(value) if value else ""
    return _string(value)
