"""Reads an OpenAI-compatible server's list of models, in all formats in use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from chat.llm.failures import errors
from chat.llm.failures.details import LARGEST_COUNT
from chat.llm.text import storable

MAX_MODELS = 5000
"""Models to read from one server. The largest lists have some hundreds."""
MAX_ID = 200
"""Characters in the column that stores a model's id."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and marks that change the direction of text."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model in a server's list."""

    id: str
    name: str
    context_window: int | None


def parse_models(body: bytes) -> list[ListedModel]:
    """Read `{"data": […]}`, `{"models": […]}` or a bare list. Raises `ModelError` otherwise."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise errors.malformed() from None
    if isinstance(said, dict):
        lists = (said.get(name) for name in ("data", "models"))
        said = next((each for each in lists if isinstance(each, list)), [])
    if not isinstance(said, list):
        raise errors.malformed()
    found = (_model(entry) for entry in said[:MAX_MODELS])
    return [model for model in found if model is not None]


def _model(entry: object) -> ListedModel | None:
    if isinstance(entry, str):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        return None
    named = (entry.get(key) for key in ("id", "model", "name"))
    model_id = next((storable(name) for name in named if isinstance(name, str) and name), None)
    if model_id is None or not printable(model_id) or len(model_id) > MAX_ID:
        return None
    name = entry.get("display_name") or entry.get("name")
    name = printable(name) if isinstance(name, str) and len(name) <= MAX_ID else ""
    return ListedModel(model_id, name or printable(model_id), next(_windows(entry), None))


def printable(name: str) -> str:
    """Return a name without characters that a page should not show."""
    return _UNPRINTABLE.sub("", storable(name))


_WINDOWS = (
    # The size it was started with comes before the size it could have.
    ("loaded_context_length",),
    ("max_model_len",),
    ("top_provider", "context_length"),
    ("context_length",),
    ("context_window",),
    ("max_context_length",),
    ("meta", "n_ctx"),
    ("meta", "n_ctx_train"),
)


def _windows(entry: dict[str, Any]) -> Iterator[int]:
    for path in _WINDOWS:
        value: object = entry
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if type(value) is int and 0 < value < LARGEST_COUNT:
            yield value
