"""The tools on offer: every tool of the modules that TALOS_TOOLS names.

A package stands for all modules in it, so a file dropped into `tools/` is found. A module offers
the tools that it defines, not those that it imports.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.core.declaration import Tool
from tools.core.errors import ToolDeclarationError

AnyTool = Tool[..., Any]


class Registry:
    """Tools by name, sorted by name."""

    def __init__(self, tools: Iterable[AnyTool]) -> None:
        self._tools: dict[str, AnyTool] = {}
        for tool in tools:
            if (other := self._tools.setdefault(tool.name, tool)) is not tool:
                problem = f"{other.module} also has a tool of that name"
                raise ToolDeclarationError.at(tool.function, problem, "Rename one of them.")
        self._tools = dict(sorted(self._tools.items()))

    def __iter__(self) -> Iterator[AnyTool]:
        return iter(self._tools.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    def get(self, name: str) -> AnyTool | None:
        return self._tools.get(name)


@cache
def load(modules: tuple[str, ...]) -> Registry:
    """Return the tools of these modules, which are imported on the first call.

    Raises `ToolDeclarationError` for a tool that is declared wrongly and for a module that cannot
    be imported.
    """
    found = {module.__name__: module for name in modules for module in _walk(_import(name))}
    return Registry(tool for module in found.values() for tool in _tools_of(module))


def _walk(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for folder in getattr(module, "__path__", ()):
        _check_files(Path(folder))
    for inner in sorted(pkgutil.iter_modules(getattr(module, "__path__", ()))):
        yield from _walk(_import(f"{module.__name__}.{inner.name}"))


def _check_files(folder: Path) -> None:
    """Python imports a package instead of a file of the same name beside it."""
    for file in folder.glob("*.py"):
        if (file.with_suffix("") / "__init__.py").exists():
            problem = f"the folder {file.stem}/ beside it has the same name and hides it"
            raise ToolDeclarationError(f"The tool file {file}", problem, "Rename the file.")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ToolDeclarationError:
        raise
    except Exception as error:
        problem = f"it cannot be imported ({type(error).__name__}: {error})"
        hint = "TALOS_TOOLS is a list of dotted module names, with commas between them."
        raise ToolDeclarationError(f"The tool module {name}", problem, hint) from error


def _tools_of(module: ModuleType) -> list[AnyTool]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, Tool) and value.module == module.__name__
    ]
