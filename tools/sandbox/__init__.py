"""The bounds of a tool: files in the workspace, child processes, and arithmetic without `eval`."""
