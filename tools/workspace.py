"""An earlier name of `tools.sandbox.workspace`, for the tools that people have written."""

from __future__ import annotations

from tools.sandbox.workspace import Entry, Workspace

__all__ = ["Entry", "Workspace"]
