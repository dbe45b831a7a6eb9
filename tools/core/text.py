"""Text that leaves a tool: bounded, storable, without the server's keys."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_MARGIN = 1000
"""A secret that crosses the limit is found up to this length."""
_SHORTEST_SECRET = 8
"""Shorter ones are ordinary words, and would be struck from innocent text."""


class NotText(Exception):
    """A result that has no text form."""


def replace_unstorable(text: str) -> str:
    """Replace NUL and lone surrogates by U+FFFD: no database or frame can carry them."""
    return _UNFIT.sub("\ufffd", text) if _UNFIT.search(text) else text


def shorten(value: object, most: int = 80) -> str:
    """Return a value for a message, in at most `most` characters."""
    text = value if isinstance(value, str) else repr(value)
    return replace_unstorable(text if len(text) <= most else f"{text[:most]}…")


@dataclass(frozen=True, slots=True)
class Renderer:
    """Turns any result of a tool into text of at most `limit` bytes, plus a note where it was cut."""

    limit: int
    secrets: Collection[str] = ()

    def render(self, result: object) -> str:
        """Return the text of a result. Raises `NotText`."""
        if result is None:
            return "Done."
        if isinstance(result, str):
            return self.truncate(result) or "(no output)"
        return self.truncate(self._json(result))

    def truncate(self, text: str) -> str:
        """Return the text; if it is too long, its beginning and how much was cut."""
        window = replace_unstorable(self.redact(text[: self.limit + _MARGIN]))
        kept = window.encode()[: self.limit].decode("utf-8", "ignore")
        if len(kept) == len(window) and len(text) <= self.limit + _MARGIN:
            return kept
        left_out = f"{len(text) - len(kept):,} of {len(text):,} characters left out"
        return f"{kept}\n\n[Cut here, {left_out}.]"

    def redact(self, text: str) -> str:
        for secret in self.secrets:
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "[secret]")
        return text

    def _json(self, result: object) -> str:
        """Return the JSON; writing stops once it is far beyond the limit."""
        pieces: list[str] = []
        room = 16 * self.limit + _MARGIN
        try:
            for piece in json.JSONEncoder(ensure_ascii=False, default=_plain).iterencode(result):
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    break
        except (TypeError, ValueError, RecursionError) as error:
            raise NotText(f"a {type(result).__name__}, which is not JSON ({error})") from error
        return "".join(pieces)


def _plain(value: Any) -> Any:
    """Return pydantic's JSON form of models, dataclasses, times, sets and the like."""
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        raise TypeError(f"{type(value).__name__} has no JSON form") from None
