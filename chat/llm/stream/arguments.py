"""Unwraps the arguments of a tool call, JSON text that servers send in several forms."""

from __future__ import annotations

import json
from typing import Any

import orjson

from chat.llm.stream.blanks import end_of_blanks

_NOTHING: tuple[Any, ...] = (None, {}, [], "")
_DECODER = json.JSONDecoder()
_MAX_VALUES = 16
"""Values to read in one text: repeated or empty arguments."""


class Brackets:
    """Tracks whether JSON text that arrives in pieces is complete; reads each piece once."""

    def __init__(self) -> None:
        self._depth = 0
        self._is_quoted = self._is_escaped = self._has_any = False

    @property
    def are_closed(self) -> bool:
        return self._has_any and self._depth == 0 and not self._is_quoted

    def read(self, piece: str) -> None:
        for sign in piece:
            if self._is_escaped:
                self._is_escaped = False
            elif self._is_quoted:
                self._is_escaped = sign == "\\"
                self._is_quoted = sign != '"'
            elif sign == '"':
                self._is_quoted = True
            elif sign in "{[":
                self._depth += 1
                self._has_any = True
            elif sign in "}]":
                self._depth -= 1


def unwrap(text: str) -> str:
    """Return the intended object. Incomplete text, or anything else, stays as it is.

    `null` and the like stand for no arguments. Some servers send `{}` before or after the real
    arguments, or send them twice; some encode them twice, as a JSON string.
    """
    try:
        if isinstance(orjson.loads(text), dict):
            return text
    except orjson.JSONDecodeError:
        pass
    try:
        return _meant(text)
    except (ValueError, RecursionError):
        return text


def _meant(text: str) -> str:
    values: list[tuple[Any, str]] = []
    at = end_of_blanks(text, 0)
    while at < len(text):
        value, end = _DECODER.raw_decode(text, at)
        values.append((value, text[at:end]))
        if len(values) > _MAX_VALUES:
            return text
        at = end_of_blanks(text, end)
    found = [each for each in values if each[0] not in _NOTHING]
    if not found:
        return "{}"
    value, written = found[0]
    if any(other != value for other, _ in found):
        return text
    if isinstance(value, str) and isinstance(json.loads(value), dict):
        return value
    return written if isinstance(value, dict) else text
