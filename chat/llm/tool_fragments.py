"""Joins the fragments of tool calls that OpenAI-compatible servers stream.

The protocol says: the first fragment has index, id and name, later ones the index and a piece of
the arguments. Real servers leave out the index or the id, repeat id and name, send them late, or
send whole calls under one index. This reads them all, and knows nothing of the rest of a chunk.
"""

from __future__ import annotations

import uuid
from typing import Any

from chat.llm import failures
from chat.llm.arguments import Brackets, settled
from chat.llm.base import Opaque, ToolRequest
from chat.llm.opaque import json_text
from chat.llm.text import clean

MAX_CALLS = 128
MAX_ARGUMENTS = 256 * 1024  # code points of one call, its id, name and extra content included
NAMELESS = "unnamed"
"""Stands in for a name that never came: the model is told that there is no such tool."""

Fields = dict[str, Any]


class _Call:
    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.size = 0
        self._extra: Fields = {}
        self._arguments: list[str] = []
        self._brackets = Brackets()
        self._read = 0  # how many of the pieces `_brackets` have read

    def add(self, call_id: str, name: str, arguments: str, extra: Fields) -> int:
        """Returns by how much it grew."""
        self.call_id = self.call_id or call_id
        if not self.name:
            self.name = name
        elif name != self.name and not self._arguments:  # repeated names are one, torn ones join
            self.name += name
        if arguments:
            self._arguments.append(arguments)
        grown = len(call_id) + len(name) + len(arguments)
        if extra:
            self._add_extra(extra)
            grown += len(json_text(extra))
        self.size += grown
        if self.size > MAX_ARGUMENTS:
            raise failures.too_large()
        return grown

    def _add_extra(self, extra: Fields) -> None:
        for name, value in extra.items():
            known = self._extra.get(name)
            if isinstance(known, dict) and isinstance(value, dict):
                known.update(value)
            else:
                self._extra[name] = value

    @property
    def says_something(self) -> bool:
        return bool(self.name or self._arguments)

    @property
    def has_arguments(self) -> bool:
        return bool(self._arguments)

    @property
    def is_whole(self) -> bool:
        for piece in self._arguments[self._read :]:
            self._brackets.read(piece)
        self._read = len(self._arguments)
        return self._brackets.are_closed

    def request(self, call_id: str, source: str) -> ToolRequest:
        arguments = settled(clean("".join(self._arguments)))
        extra = (Opaque("extra_content", source, json_text(self._extra)),) if self._extra else ()
        return ToolRequest(call_id, clean(self.name) or NAMELESS, arguments, extra)


class ToolFragments:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self.size = 0
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}

    def add_delta(self, delta: Fields) -> None:
        """All that one delta has of calls."""
        if calls := delta.get("tool_calls"):
            extra = _extra_content(delta)
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
        extra = _extra_content(fragment) or _extra_content(function) or extra
        self.size += call.add(call_id, name, arguments, extra)

    def _call(
        self, index: int | None, position: int, call_id: str, name: str, arguments: str
    ) -> _Call:
        if index is None and call_id:
            for known in self._calls:
                if known.call_id == call_id:
                    return known
        slot = position if index is None else index
        call = self._at.get(slot)
        if call is None or _begins_another(call, call_id, name, arguments):
            call = self._at[slot] = _Call()
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


def _begins_another(call: _Call, call_id: str, name: str, arguments: str) -> bool:
    """Whether a fragment for a place that is taken is a new call. Only one with a name can be."""
    if not name or not call.name:
        return False
    if not (call_id and call.call_id):
        return call.is_whole
    if call_id == call.call_id:
        return False
    goes_on = name == call.name and arguments and not arguments.lstrip().startswith("{")
    return not (goes_on and call.has_arguments and not call.is_whole)


def _extra_content(fields: Fields) -> Fields:
    """What Gemini wants back with a call. Some gateways pass only its signature on."""
    extra = fields.get("extra_content")
    if extra and isinstance(extra, dict):
        return extra
    specific = fields.get("provider_specific_fields")
    signature = fields.get("thought_signature") or (
        specific.get("thought_signature") if isinstance(specific, dict) else None
    )
    if signature and isinstance(signature, str):
        return {"google": {"thought_signature": signature}}
    return {}


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
