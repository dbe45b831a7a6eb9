"""The tools that a model may call; each file in this folder can declare some.

Nothing here knows about conversations, rows or sockets. `core` declares tools and runs their calls,
`sandbox` confines their files and processes, `builtin` holds the tools that ship with Talos.
"""

from __future__ import annotations

from tools.core.context import Hit, ToolContext
from tools.core.declaration import tool
from tools.core.errors import ToolError
from tools.sandbox.processes import run_process
from tools.sandbox.workspace import Workspace

__all__ = ["Hit", "ToolContext", "ToolError", "Workspace", "run_process", "tool"]
