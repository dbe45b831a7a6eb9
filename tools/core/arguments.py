"""Parse the arguments that a model wrote, and explain errors so that it can correct them."""

from __future__ import annotations

import difflib
import json
import math
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tools.core.errors import ToolError
from tools.core.text import replace_unstorable, shorten
from tools.core.values import TooDeep, scalars

MAX_CHARACTERS = 1024 * 1024
MAX_DEPTH = 32
"""Also the limit of the protocol: deeper values could not be shown to the person who decides."""
MAX_KEYS = 1000
"""Keys of the outermost object; no tool takes this many arguments."""
_SHOWN = 10
_NAMED = 1000
"""Beyond this many, problems are only counted: pydantic lists all of them or none."""
_TOO_DEEP = f"The arguments are nested deeper than {MAX_DEPTH} levels."
_KINDS = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}


def parse(given: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the object that a model wrote as JSON, or that a person gave. Raises `ToolError`.

    An empty text counts as `{}`: some models send that for a tool without arguments.
    """
    return _as_object(_load(given) if isinstance(given, str) else given)


def _load(text: str) -> object:
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
    if len(found) > MAX_KEYS:
        raise ToolError(f"There are {len(found):,} arguments; at most {MAX_KEYS:,} are allowed.")
    arguments = dict(found)
    _check(arguments)
    return arguments


def explain(name: str, known: Collection[str], error: ValidationError) -> str:
    """Explain what is wrong with a call of the tool `name`, which takes the arguments `known`."""
    takes = ", ".join(f"`{argument}`" for argument in known) or "no arguments"
    return "\n".join([f"Wrong arguments for `{name}`:", *_problems(error), f"It takes {takes}."])


def explain_unknown(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:64], known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    listed = ", ".join(f"`{other}`" for other in known) or "none"
    return f"There is no tool named `{shorten(name)}`.{hint} Known: {listed}."


def _problems(error: ValidationError) -> list[str]:
    count = error.error_count()
    if count > _NAMED:
        return [f"- {count:,} values are wrong"]
    found = error.errors(include_url=False, include_context=False)[:_SHOWN]
    more = [f"- and {count - _SHOWN} more"] if count > _SHOWN else []
    return [f"- {_problem(problem)}" for problem in found] + more


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
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, count in times.items() if count > 1)
        raise ValueError(f"the key {shorten(twice)!r} appears twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _check(found: dict[str, Any]) -> None:
    """Refuse arguments that cannot be stored and shown to a person exactly as they would run."""
    try:
        texts, floats = scalars(found, MAX_DEPTH)
    except TooDeep:
        raise ToolError(_TOO_DEEP) from None
    if not all(map(math.isfinite, floats)):
        raise ToolError("The arguments contain a number that is too large.")
    joined = "".join(texts)
    if replace_unstorable(joined) != joined:
        raise ToolError("The arguments contain a NUL or half of a surrogate pair.")
