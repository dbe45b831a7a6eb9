"""Names that users' own tools import stay valid."""

from __future__ import annotations

import tools
from tools import base, processes, workspace


def test_former_names_are_aliases() -> None:
    assert base.tool is tools.tool
    assert base.ToolContext is tools.ToolContext
    assert base.ToolError is tools.ToolError
    assert base.Hit is tools.Hit
    assert workspace.Workspace is tools.Workspace
    assert processes.run_process is tools.run_process
