"""The former name of `tools.sandbox.workspace`, kept for tools that users have written."""

from __future__ import annotations

from tools.sandbox.workspace import Entry, Workspace

__all__ = ["Entry", "Workspace"]
