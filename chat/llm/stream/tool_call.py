"""One tool call of an answer, joined from its fragments."""

from __future__ import annotations

from typing import Any

from chat.llm.base import Opaque, ToolRequest
from chat.llm.failures import errors
from chat.llm.stream.arguments import Brackets, unwrap
from chat.llm.stream.opaque import json_text
from chat.llm.text import storable

MAX_ARGUMENTS = 256 * 1024  # code points of one call, including id, name and extra content
MAX_NAME = 1024
"""Code points of a name that arrives in fragments, more than any tool has; the rest is dropped."""
NAMELESS = "unnamed"
"""Replaces a name that never came: the model learns that there is no such tool."""

_EXTRA = frozenset({"extra_content", "provider_specific_fields", "thought_signature"})

Fields = dict[str, Any]


class Call:
    """One call as far as its fragments have arrived."""

    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.size = 0
        self._extra: Fields = {}
        self._arguments: list[str] = []
        self._brackets = Brackets()
        self._read = 0  # how many of `_arguments` the brackets have read

    def add(self, call_id: str, name: str, arguments: str, extra: Fields) -> int:
        """Add a fragment; return by how many code points the call grew."""
        self.call_id = self.call_id or call_id
        if not self.name:
            self.name = name
        elif name != self.name and not self._arguments:  # a repeated name is one, fragments join
            self.name += name[: max(0, MAX_NAME - len(self.name))]
        if arguments:
            self._arguments.append(arguments)
        grown = len(call_id) + len(name) + len(arguments)
        if extra:
            self._add_extra(extra)
            grown += len(json_text(extra))
        self.size += grown
        if self.size > MAX_ARGUMENTS:
            raise errors.too_large()
        return grown

    def _add_extra(self, extra: Fields) -> None:
        for name, value in extra.items():
            known = self._extra.get(name)
            if isinstance(known, dict) and isinstance(value, dict):
                known.update(value)
            else:
                self._extra[name] = value

    @property
    def has_content(self) -> bool:
        return bool(self.name or self._arguments)

    @property
    def is_whole(self) -> bool:
        for piece in self._arguments[self._read :]:
            self._brackets.read(piece)
        self._read = len(self._arguments)
        return self._brackets.are_closed

    def is_followed_by(self, call_id: str, name: str, arguments: str) -> bool:
        """Whether a fragment with the same index begins another call. It must have a name."""
        if not name or not self.name:
            return False
        if not (call_id and self.call_id):
            return self.is_whole
        if call_id == self.call_id:
            return False
        goes_on = name == self.name and arguments and not arguments.lstrip().startswith("{")
        return not (goes_on and self._arguments and not self.is_whole)

    def request(self, call_id: str, source: str) -> ToolRequest:
        arguments = unwrap(storable("".join(self._arguments)))
        extra = (Opaque("extra_content", source, json_text(self._extra)),) if self._extra else ()
        return ToolRequest(call_id, storable(self.name) or NAMELESS, arguments, extra)


def extra_content(fields: Fields) -> Fields:
    """Return what Gemini wants back with a call. Some gateways pass on only its signature."""
    if _EXTRA.isdisjoint(fields):
        return {}
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
