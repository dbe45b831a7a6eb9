"""Runs Talos: settings from the environment, the `serve` command, the server and static files."""
