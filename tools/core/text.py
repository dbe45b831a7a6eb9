"""Text on its way out of a tool: bounded, storable, without the keys of this server."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_MARGIN = 1000
"""A secret across the limit is found up to this length."""
_SHORTEST_SECRET = 8
"""Shorter ones are words, and would be struck out of innocent text."""


class NotText(Exception):
    """A result that cannot be told to a model."""


def clean(text: str) -> str:
    """NUL and lone surrogates as U+FFFD: no database or frame carries them."""
    return _UNFIT.sub("\ufffd", text) if _UNFIT.search(text) else text


def shorten(value: object, most: int = 80) -> str:
    """A value in a message, in as many characters."""
    text = value if isinstance(value, str) else repr(value)
    return clean(text if len(text) <= most else f"{text[:most]}…")


@dataclass(frozen=True, slots=True)
class Renderer:
    """Turns whatever a tool returns into text of at most `limit` bytes and a note."""

    limit: int
    secrets: Collection[str] = ()

    def text_of(self, result: object) -> str:
        """Raises `NotText`."""
        if result is None:
            return "Done."
        if isinstance(result, str):
            return self.bounded(result) or "(no output)"
        return self.bounded(self._json(result))

    def bounded(self, text: str) -> str:
        """Its beginning, and how much there is, where the whole is too long."""
        window = clean(self.without_secrets(text[: self.limit + _MARGIN]))
        kept = window.encode()[: self.limit].decode("utf-8", "ignore")
        if len(kept) == len(window) and len(text) <= self.limit + _MARGIN:
            return kept
        left_out = f"{len(text) - len(kept):,} of {len(text):,} characters are left out"
        return f"{kept}\n\n[Cut here, {left_out}.]"

    def without_secrets(self, text: str) -> str:
        for secret in self.secrets:
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "[secret]")
        return text

    def _json(self, result: object) -> str:
        """JSON, but what is huge is not written out to its end."""
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
    """pydantic's JSON form of models, dataclasses, times, sets and the like."""
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        raise TypeError(f"{type(value).__name__} has no JSON form") from None
