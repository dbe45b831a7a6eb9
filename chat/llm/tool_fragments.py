"""Joins the fragments of tool calls that OpenAI-compatible servers stream.

The protocol says: the first fragment has index, id and name, later ones the index and a piece of
the arguments. Real servers leave out the index or the id, repeat id and name, send them late, or
send whole calls under one index. This reads them all, and knows nothing of the rest of a chunk.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from chat.llm import failures
from chat.llm.base import ToolRequest
from chat.llm.text import clean

MAX_CALLS = 128
MAX_ARGUMENTS = 256 * 1024  # code points of one call, its id and name included


class _Call:
    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.size = 0
        self._arguments: list[str] = []

    def add(self, call_id: str, name: str, arguments: str) -> None:
        self.call_id = self.call_id or call_id
        if not self.name:
            self.name = name
        elif name != self.name and not self._arguments:  # repeated names are one, torn ones join
            self.name += name
        if arguments:
            self._arguments.append(arguments)
        self.size += len(call_id) + len(name) + len(arguments)
        if self.size > MAX_ARGUMENTS:
            raise failures.too_large()

    @property
    def arguments(self) -> str:
        return clean("".join(self._arguments))

    @property
    def is_whole(self) -> bool:
        if not self._arguments or not self._arguments[-1].endswith("}"):
            return False
        try:
            orjson.loads(self.arguments)
        except orjson.JSONDecodeError:
            return False
        return True


class ToolFragments:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self.size = 0
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}

    def add(self, fragments: object) -> None:
        """The `tool_calls` of one delta."""
        if not isinstance(fragments, list):
            return
        for position, fragment in enumerate(fragments):
            if isinstance(fragment, dict):
                self._add(fragment, position)

    def _add(self, fragment: dict[str, Any], position: int) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        call_id, name = _string(fragment.get("id")), _string(function.get("name"))
        arguments = _arguments(function.get("arguments"))
        index = fragment.get("index")
        call = self._call(index if isinstance(index, int) else None, position, call_id, name)
        call.add(call_id, name, arguments)
        self.size += len(call_id) + len(name) + len(arguments)

    def _call(self, index: int | None, position: int, call_id: str, name: str) -> _Call:
        if index is None and call_id:
            for known in self._calls:
                if known.call_id == call_id:
                    return known
        slot = position if index is None else index
        call = self._at.get(slot)
        if call is None or _begins_another(call, call_id, name):
            call = self._at[slot] = _Call()
            self._calls.append(call)
            if len(self._calls) > MAX_CALLS:
                raise failures.too_large()
        return call

    def requests(self) -> list[ToolRequest]:
        """All calls, each with an id of its own."""
        taken: set[str] = set()
        found = []
        for call in self._calls:
            if not call.name:
                raise failures.malformed()
            call_id = clean(call.call_id)
            if not call_id or call_id in taken:
                call_id = f"call_{uuid.uuid4().hex}"
            taken.add(call_id)
            found.append(ToolRequest(call_id, clean(call.name), call.arguments or "{}"))
        return found


def _begins_another(call: _Call, call_id: str, name: str) -> bool:
    """Whether a fragment for a place that is taken is a new call. Only one with a name can be."""
    if not name or not call.name:
        return False
    if call_id and call.call_id:
        return call_id != call.call_id
    return call.is_whole


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: object) -> str:
    # Some servers send the arguments as the object itself.
    if isinstance(value, dict):
        return orjson.dumps(value).decode() if value else ""
    return _string(value)
