"""The former name of `tools.sandbox.processes`, kept for tools that users have written."""

from __future__ import annotations

from tools.sandbox.processes import Finished, run_process

__all__ = ["Finished", "run_process"]
