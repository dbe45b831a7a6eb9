"""The former name of `tools`, kept for tools that users have written."""

from __future__ import annotations

from tools.core.context import Hit, ToolContext
from tools.core.declaration import Tool, tool
from tools.core.errors import ToolDeclarationError, ToolError

__all__ = ["Hit", "Tool", "ToolContext", "ToolDeclarationError", "ToolError", "tool"]
