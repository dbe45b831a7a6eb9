"""What a model may do on the server: each file in this folder can declare tools.

Nothing here knows of conversations, rows or sockets. `core` declares tools and runs their calls,
`sandbox` keeps their files and processes in bounds, `builtin` has the tools that come with Talos.
"""

from __future__ import annotations

from tools.core.context import Hit, ToolContext
from tools.core.declaration import tool
from tools.core.errors import ToolError
from tools.sandbox.processes import run_process
from tools.sandbox.workspace import Workspace

__all__ = ["Hit", "ToolContext", "ToolError", "Workspace", "run_process", "tool"]
