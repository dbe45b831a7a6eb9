"""An earlier name of `tools`, for the tools that people have written."""

from __future__ import annotations

from tools.core.context import Hit, ToolContext
from tools.core.declaration import Tool, tool
from tools.core.errors import ToolDeclarationError, ToolError

__all__ = ["Hit", "Tool", "ToolContext", "ToolDeclarationError", "ToolError", "tool"]
