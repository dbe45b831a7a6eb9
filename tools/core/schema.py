"""Derive what a model is told from a function: description, arguments, JSON Schema.

pydantic reads the types. Only declarations are checked here; `arguments.py` checks calls.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from tools.core.context import ToolContext
from tools.core.errors import ToolDeclarationError

Function = Callable[..., Any]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""The names that all providers accept."""
_ARG = re.compile(r"^ {4}(\w+):[ \t]*(.*(?:\n {5,}.*)*)", re.M)


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    description: str
    arguments: type[BaseModel]
    """Its fields are numbered, with the parameters' names as aliases: a parameter may be called `json`
    or `copy`, which pydantic reserves."""
    parameters: dict[str, Any]
    """JSON Schema of the arguments."""
    context: str | None
    """The parameter that takes the `ToolContext`."""


class _Untitled(GenerateJsonSchema):
    """A schema without titles: they repeat the names, and cost tokens."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def read(function: Function) -> Signature:
    """Read a declaration, or raise `ToolDeclarationError`."""
    name = _name(function)
    description, described = _documentation(function)
    hints = _hints(function)
    contexts = [name for name, hint in hints.items() if hint is ToolContext and name != "return"]
    parameters = inspect.signature(function).parameters
    if stray := described.keys() - (parameters.keys() - set(contexts)):
        raise _wrong(function, f"its docstring describes {_list(stray)}, which it does not take")
    fields: dict[str, Any] = {}
    for parameter in parameters.values():
        _check(function, parameter, hints)
        if parameter.name not in contexts:
            field = _field(parameter, hints[parameter.name], described.get(parameter.name))
            fields[f"argument_{len(fields)}"] = (hints[parameter.name], field)
    if len(contexts) > 1:
        raise _wrong(function, f"{_list(contexts)} are all ToolContext", "One is enough.")
    arguments = _model(function, fields)
    schema = _json_schema(function, arguments)
    return Signature(name, description, arguments, schema, contexts[0] if contexts else None)


def _name(function: Function) -> str:
    name = getattr(function, "__name__", "")
    if not inspect.isfunction(function):
        raise _wrong(function, "@tool takes a function", "Put it directly above a `def`.")
    if not _NAME.fullmatch(name):
        hint = "Use at most 64 of the letters a-z and A-Z, digits and underscores."
        raise _wrong(function, f"the name {name!r} is not accepted by all models", hint)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise _wrong(
            function, "it yields", "Return the result; report progress through the ToolContext."
        )
    return name


def _documentation(function: Function) -> tuple[str, dict[str, str]]:
    """Return the description, and what `Args:` says about each parameter."""
    text = inspect.getdoc(function) or ""
    before, _, section = text.partition("\nArgs:\n")
    if not before.strip() or before.startswith("Args:"):
        hint = "A model knows a tool only by its docstring: say what it does and when to use it."
        raise _wrong(function, "it has no docstring", hint)
    section, *after = re.split(r"\n(?=\S)", section, maxsplit=1)
    described = {name: " ".join(words.split()) for name, words in _ARG.findall(section)}
    return "\n\n".join(part.strip() for part in (before, *after)), described


def _hints(function: Function) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        hint = "Import its types at the top of the module, not under TYPE_CHECKING."
        raise _wrong(function, f"its types cannot be read ({error})", hint) from error


def _check(function: Function, parameter: Parameter, hints: dict[str, Any]) -> None:
    if parameter.kind not in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
        hint = "Name each argument: a model passes them by name."
        problem = f"the parameter {parameter.name!r} cannot be passed by that name"
        raise _wrong(function, problem, hint)
    if parameter.name not in hints:
        hint = f"Write for example `{parameter.name}: str`."
        raise _wrong(function, f"the parameter {parameter.name!r} has no type", hint)


def _field(parameter: Parameter, hint: Any, description: str | None) -> FieldInfo:
    given: dict[str, Any] = {"alias": parameter.name}
    if parameter.default is not Parameter.empty:
        given["default"] = parameter.default
    extras = [extra for extra in get_args(hint)[1:] if isinstance(extra, FieldInfo)]
    if description and not any(extra.description for extra in extras):
        given["description"] = description
    field: FieldInfo = Field(**given)
    return field


def _model(function: Function, fields: dict[str, Any]) -> type[BaseModel]:
    config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    try:
        model: type[BaseModel] = create_model(function.__name__, __config__=config, **fields)
    except (PydanticUserError, TypeError) as error:
        raise _unsupported(function, error) from error
    return model


def _json_schema(function: Function, arguments: type[BaseModel]) -> dict[str, Any]:
    try:
        schema = arguments.model_json_schema(schema_generator=_Untitled)
    except PydanticUserError as error:
        raise _unsupported(function, error) from error
    schema.pop("title", None)
    return {"type": "object", "properties": {}, **schema}


def _unsupported(function: Function, error: Exception) -> ToolDeclarationError:
    problem = f"a parameter has a type that JSON cannot carry ({str(error).splitlines()[0]})"
    hint = "Use str, int, float, bool, Literal, lists and dicts of them, or a pydantic model."
    return _wrong(function, problem, hint)


def _wrong(
    function: Function, problem: str, hint: str = "Correct one of them."
) -> ToolDeclarationError:
    return ToolDeclarationError.at(function, problem, hint)


def _list(names: Any) -> str:
    return ", ".join(sorted(names))
