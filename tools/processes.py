"""An earlier name of `tools.sandbox.processes`, for the tools that people have written."""

from __future__ import annotations

from tools.sandbox.processes import Finished, run_process

__all__ = ["Finished", "run_process"]
