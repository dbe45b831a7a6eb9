"""The bounds of a tool: the workspace for files, child processes, and arithmetic without `eval`."""
