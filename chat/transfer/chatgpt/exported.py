"""What a ChatGPT export says of a conversation, as far as it is used here. Read leniently."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Author(_Lenient):
    role: str = ""
    name: str | None = None


class Content(_Lenient):
    content_type: str = "text"
    parts: list[Any] | None = None
    text: str | None = None
    """Of code and of a tool's output."""
    result: str | None = None
    thoughts: list[Any] | None = None


class Message(_Lenient):
    author: Author = Author()
    content: Content | None = None
    create_time: float | None = None
    recipient: str | None = None
    """`all`, or the tool that is called."""
    status: str | None = None
    metadata: dict[str, Any] | None = None


class Node(_Lenient):
    message: Message | None = None
    parent: str | None = None
    children: list[str] = []


class Exported(_Lenient):
    id: str | None = None
    conversation_id: str | None = None
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None
    default_model_slug: str | None = None
    is_archived: bool | None = None
    is_starred: bool | None = None
    mapping: dict[str, Node] = Field(max_length=100_000)


_SURROGATE = re.compile("[\ud800-\udfff]")


def is_one(data: bytes) -> bool:
    """Whether a piece of a file is a conversation of a ChatGPT export."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return b'"mapping"' in data
    return isinstance(found, dict) and "mapping" in found


def parsed(data: bytes) -> Exported:
    """Raises `ValidationError`, `ValueError` and `RecursionError`."""
    try:
        return Exported.model_validate_json(data)
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] != "json_invalid":
            raise
    # Half of an emoji is no text, but does occur.
    text = json.dumps(json.loads(data), ensure_ascii=False)
    return Exported.model_validate_json(_SURROGATE.sub("\ufffd", text).encode())
