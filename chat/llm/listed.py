"""What an OpenAI-compatible server says of its models, in the shapes that are in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from chat.llm import failures
from chat.llm.details import LARGEST_COUNT
from chat.llm.text import clean


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
    found = (_listed(entry) for entry in said)
    return [model for model in found if model is not None]


def _listed(entry: object) -> ListedModel | None:
    if isinstance(entry, str):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        return None
    named = (entry.get(key) for key in ("id", "model", "name"))
    model_id = next((clean(name) for name in named if isinstance(name, str) and name), None)
    if model_id is None:
        return None
    name = entry.get("display_name") or entry.get("name")
    shown = clean(name) if isinstance(name, str) and name else model_id
    return ListedModel(model_id, shown, next(_windows(entry), None))


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
