"""The site: settings from the environment, the server, and the `serve` command."""
