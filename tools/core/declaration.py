"""How a tool is declared: `@tool` above one typed function.

Name, description and JSON Schema come from the function, the other options from the decorator.
docs/tools.md shows how to write a tool from scratch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, overload

from tools.core.context import Hit, ToolContext
from tools.core.errors import ToolDeclarationError, ToolError
from tools.core.schema import Signature, read

__all__ = ["Hit", "Tool", "ToolContext", "ToolDeclarationError", "ToolError", "tool"]

P = ParamSpec("P")
R = TypeVar("R")

SECONDS = 30.0
OUTPUT_LIMIT = 64 * 1024
"""About 16,000 tokens: more would crowd the conversation out of a model's context."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tool(Generic[P, R]):
    """A function that a model may call. Python code still calls it like the function."""

    function: Callable[P, R]
    signature: Signature
    approval: bool
    """Whether a person must allow each call."""
    seconds: float
    """Time limit of a call."""
    output_limit: int
    """Maximum bytes of a result; the rest is cut."""
    repeatable: bool
    """Whether a call that a crash cut short may run again without asking, because it changes nothing."""
    may_remember: bool
    """Whether an approval may be remembered for the rest of a conversation."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def description(self) -> str:
        return self.signature.description

    @property
    def summary(self) -> str:
        """The description's first paragraph, in one line."""
        return " ".join(self.description.split("\n\n")[0].split())

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.signature.parameters

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @property
    def module(self) -> str:
        return self.function.__module__

    def parse(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that the function takes. Raises pydantic's `ValidationError`."""
        parsed = self.signature.arguments.model_validate(dict(arguments))
        fields = type(parsed).model_fields
        return {str(fields[name].alias): getattr(parsed, name) for name in parsed.model_fields_set}


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(
    *,
    approval: bool = True,
    seconds: float = SECONDS,
    output_limit: int = OUTPUT_LIMIT,
    repeatable: bool = False,
    may_remember: bool = True,
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    approval: bool = True,
    seconds: float = SECONDS,
    output_limit: int = OUTPUT_LIMIT,
    repeatable: bool = False,
    may_remember: bool = True,
) -> Any:
    """Declare a tool. The defaults are the careful choice: a person must approve each call."""

    def declare(function: Callable[P, R]) -> Tool[P, R]:
        signature = read(function)
        _check_options(function, seconds, output_limit)
        _check_twin(function)
        return Tool(
            function=function,
            signature=signature,
            approval=approval,
            seconds=seconds,
            output_limit=output_limit,
            repeatable=repeatable,
            may_remember=may_remember,
        )

    return declare if function is None else declare(function)


def _check_options(function: Callable[..., Any], seconds: float, output_limit: int) -> None:
    if not 0 < seconds <= 15 * 60:
        problem, hint = f"seconds is {seconds}", "An answer may take 15 minutes: use at most 900."
        raise ToolDeclarationError.at(function, problem, hint)
    if not 0 < output_limit <= 512 * 1024:
        problem, hint = (
            f"output_limit is {output_limit}",
            "Use at most 524288: a frame holds 1 MiB.",
        )
        raise ToolDeclarationError.at(function, problem, hint)


def _check_twin(function: Callable[..., Any]) -> None:
    """Refuse a second tool of the same name in a module: it would silently replace the first."""
    before = function.__globals__.get(function.__name__)
    if isinstance(before, Tool) and "<locals>" not in function.__qualname__:
        problem = f"the module has another tool named {function.__name__!r}"
        raise ToolDeclarationError.at(function, problem, "Rename one of them.")
