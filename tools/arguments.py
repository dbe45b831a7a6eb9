"""A call's arguments, as a model wrote them, checked: what is wrong is said so that it can mend it."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tools.errors import ToolError
from tools.text import clean, shorten

MAX_CHARACTERS = 1024 * 1024
MAX_DEPTH = 32
"""The wire's bound too: what is deeper could not be shown to the person who is asked."""
_SHOWN = 10
_TOO_DEEP = f"The arguments are nested deeper than {MAX_DEPTH} levels."
_KINDS = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}


def parse(given: str | Mapping[str, Any]) -> dict[str, Any]:
    """The object that a model wrote as JSON, or a person gave. Raises `ToolError`.

    No text at all counts as `{}`: some models write that for a tool without arguments.
    """
    return _as_object(_loaded(given) if isinstance(given, str) else given)


def _loaded(text: str) -> object:
    if len(text) > MAX_CHARACTERS:
        raise ToolError(f"The arguments are longer than {MAX_CHARACTERS:,} characters.")
    try:
        return json.loads(
            text.strip() or "{}", parse_constant=_refuse, object_pairs_hook=_without_duplicates
        )
    except RecursionError:
        raise ToolError(_TOO_DEEP) from None
    except ValueError as error:
        raise ToolError(f"The arguments are not valid JSON: {error}.") from None


def _as_object(found: object) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        kind = _KINDS.get(type(found), "a number")
        raise ToolError(
            f'The arguments must be a JSON object like {{"name": "value"}}, not {kind}.'
        )
    _check(found, MAX_DEPTH)
    return dict(found)


def complaint(name: str, known: Collection[str], error: ValidationError) -> str:
    """What is wrong with a call of the tool `name`, which takes the arguments `known`."""
    problems = error.errors(include_url=False, include_context=False)
    lines = [f"- {_problem(problem)}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"- and {len(problems) - _SHOWN} more")
    takes = ", ".join(f"`{argument}`" for argument in known) or "no arguments"
    return "\n".join([f"Wrong arguments for `{name}`:", *lines, f"It takes {takes}."])


def no_such_tool(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:64], known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    listed = ", ".join(f"`{other}`" for other in known) or "none"
    return f"There is no tool named `{shorten(name)}`.{hint} Known: {listed}."


def _problem(problem: ErrorDetails) -> str:
    where = "".join(
        f"[{part}]" if isinstance(part, int) else f"{'.' if index else ''}{shorten(part)}"
        for index, part in enumerate(problem["loc"])
    )
    match problem["type"]:
        case "missing":
            return f"`{where}` is missing"
        case "extra_forbidden":
            return f"`{where}` is not an argument"
        case _:
            expected = problem["msg"].removeprefix("Input ")
            given = shorten(_as_json(problem["input"]))
            return f"`{where}` {expected[:1].lower()}{expected[1:]}, not {given}"


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shorten(twice)!r} stands there twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _check(value: object, levels: int) -> None:
    """Refuse what cannot be stored and shown to a person as it would be run."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ToolError("The arguments have a number that is too large.")
    elif isinstance(value, str):
        if clean(value) != value:
            raise ToolError("The arguments have a NUL or half of a surrogate pair in them.")
    elif isinstance(value, Mapping | list):
        if levels == 0:
            raise ToolError(_TOO_DEEP)
        for item in [*value, *value.values()] if isinstance(value, Mapping) else value:
            _check(item, levels - 1)
