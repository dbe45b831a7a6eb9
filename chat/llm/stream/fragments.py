"""Joins the fragments of tool calls that OpenAI-compatible servers stream.

The protocol says: the first fragment has index, id and name, later ones the index and a piece of
the arguments. Real servers leave out the index or the id, repeat id and name, send them late, or
send whole calls under one index. This reads them all, and knows nothing of the rest of a chunk.
"""

from __future__ import annotations

import uuid

from chat.llm.base import ToolRequest
from chat.llm.failures import failures
from chat.llm.stream.opaque import json_text
from chat.llm.stream.tool_call import Call, Fields, extra_content
from chat.llm.text import clean

MAX_CALLS = 128
MAX_SIZE = 1024 * 1024
"""Code points of all calls of an answer: as long as its text may be."""


class ToolFragments:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self.size = 0
        self._calls: list[Call] = []
        self._at: dict[int, Call] = {}

    def add_delta(self, delta: Fields) -> None:
        """All that one delta has of calls."""
        if calls := delta.get("tool_calls"):
            extra = extra_content(delta)
            self.add(calls, extra)
        elif function := delta.get("function_call"):  # the protocol's older form: one call
            self.add([{"index": 0, "function": function}])

    def add(self, fragments: object, extra: Fields | None = None) -> None:
        """The `tool_calls` of one delta. `extra` is the delta's own, and its first call's."""
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
            raise failures.too_large()

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
                raise failures.too_large()
        return call

    def requests(self, source: str = "") -> list[ToolRequest]:
        """All calls that say something, each with an id of its own. `source`: who sent them."""
        taken: set[str] = set()
        found = []
        for call in self._calls:
            if not call.says_something:
                continue
            call_id = clean(call.call_id)
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
