"""Parsing JSON leniently: half emojis, broken UTF-8 and infinite numbers do occur in exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson

_MAX_DIGITS = 300
NOT_UTF8 = "some of it is not UTF-8, and shows as \ufffd"


def parse(data: bytes, note: Callable[[str], object] = lambda text: None) -> Any:
    """Parse JSON, telling `note` what had to be replaced. Raises `ValueError` and `RecursionError`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    text = data.decode("utf-8-sig", errors="replace")
    if "\ufffd" in text and not _is_utf8(data):
        note(NOT_UTF8)
    try:
        return json.loads(text, parse_int=_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)
