"""The errors of tools.

Exception
├── ToolDeclarationError  a tool is declared wrongly, or its module cannot be loaded: Talos does not start
└── ToolError             a call failed in a way that the model can read and adapt to
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class ToolDeclarationError(Exception):
    """An invalid declaration: where it is, what is wrong, and in `hint` how to correct it."""

    def __init__(self, where: str, problem: str, hint: str) -> None:
        super().__init__(f"{where}: {problem}. {hint}")
        self.where = where
        self.problem = problem
        self.hint = hint

    @classmethod
    def at(cls, function: Callable[..., Any], problem: str, hint: str) -> ToolDeclarationError:
        code = getattr(function, "__code__", None)
        name = getattr(function, "__name__", repr(function))
        where = f"{code.co_filename}:{code.co_firstlineno}: {name}()" if code else name
        return cls(where, problem, hint)


class ToolError(Exception):
    """Raised by a tool on purpose: the model gets the message, and nothing is logged."""
