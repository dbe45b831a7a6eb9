"""What an OpenAI-compatible server says of its models, in the shapes that are in use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from chat.llm.failures import failures
from chat.llm.failures.details import LARGEST_COUNT
from chat.llm.text import clean

MOST = 5000
"""Models of one server that are read. The largest lists have some hundreds."""
MAX_ID = 200
"""Characters: what the rows that store a model's id hold."""
_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and marks that turn the text after them around."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that a server says it has."""

    id: str
    name: str
    context_window: int | None


def listed(body: bytes) -> list[ListedModel]:
    """`{"data": […]}`, `{"models": […]}` or the bare list. Raises `ModelError` for anything else."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise failures.malformed() from None
    if isinstance(said, dict):
        lists = (said.get(name) for name in ("data", "models"))
        said = next((each for each in lists if isinstance(each, list)), [])
    if not isinstance(said, list):
        raise failures.malformed()
    found = (_listed(entry) for entry in said[:MOST])
    return [model for model in found if model is not None]


def _listed(entry: object) -> ListedModel | None:
    if isinstance(entry, str):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        return None
    named = (entry.get(key) for key in ("id", "model", "name"))
    model_id = next((clean(name) for name in named if isinstance(name, str) and name), None)
    if model_id is None or not shown(model_id) or len(model_id) > MAX_ID:
        return None
    name = entry.get("display_name") or entry.get("name")
    name = shown(name) if isinstance(name, str) and len(name) <= MAX_ID else ""
    return ListedModel(model_id, name or shown(model_id), next(_windows(entry), None))


def shown(name: str) -> str:
    """A name as a page may show it."""
    return _NOT_SHOWN.sub("", clean(name))


_WINDOWS = (
    # What it was started with, then what it could hold.
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
