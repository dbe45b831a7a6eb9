"""Reads the frames of clients; an error names the fault in a sentence."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from pydantic import ValidationError

from chat.errors import InvalidFrame, InvalidJson, UnknownAction
from chat.protocol.actions import ACTIONS, AnyAction
from chat.protocol.limits import MAX_ARGUMENTS_DEPTH, MAX_DEPTH
from tools.core.values import TooDeep, scalars


def parse(text: str) -> AnyAction:
    """Return the action in a frame.

    Raises `InvalidJson`, `InvalidFrame` or `UnknownAction`, which name the fault.
    """
    data = _decode(text)
    if not isinstance(data, dict):
        raise InvalidFrame("A frame is a JSON object.")
    _check(data, MAX_DEPTH)
    name = data.get("action")
    if not isinstance(name, str):
        raise InvalidFrame("A frame has an `action`, a string.")
    action = ACTIONS.get(name)
    if action is None:
        raise UnknownAction(f"Unknown action; known: {', '.join(ACTIONS)}.")
    given = {key: value for key, value in data.items() if value is not None}  # null: left out
    try:
        return action.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"][:1])
        words = first["msg"].removeprefix("Value error, ")
        raise InvalidFrame(f"{name}: `{field}`: {words}.") from None


def _decode(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError:
        raise InvalidFrame(_TOO_DEEP) from None
    except ValueError:
        raise InvalidJson("This is not JSON.") from None


_TOO_DEEP = f"A frame is nested at most {MAX_DEPTH} deep."


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidFrame("A key appears twice in one object.")
    return found


def _check(value: object, depth: int) -> None:
    """Refuse text that cannot be stored (NUL, lone surrogates), numbers that overflow, and values
    that are nested too deep."""
    try:
        texts, floats = scalars(value, depth)
    except TooDeep:
        raise InvalidFrame(_TOO_DEEP) from None
    if not all(map(math.isfinite, floats)):
        raise InvalidFrame("A number is too large.")
    joined = "".join(texts)
    if not is_storable(joined):
        raise InvalidFrame("Text has a NUL or a lone surrogate.")


def is_storable(text: str) -> bool:
    """Whether a text has neither a NUL, which PostgreSQL refuses, nor a lone surrogate, which UTF-8
    does not allow."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def arguments_object(text: str) -> dict[str, Any]:
    """Return a model's arguments as an object; anything else is put under `_raw`."""
    try:
        arguments = json.loads(text)
        _check(arguments, MAX_ARGUMENTS_DEPTH)
    except (ValueError, RecursionError, InvalidFrame):
        return {"_raw": text}
    return arguments if isinstance(arguments, dict) else {"_raw": text}
