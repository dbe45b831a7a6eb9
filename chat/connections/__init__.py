"""Providers that were connected in the browser: their rows, opened, beside what the environment says.

A process learns of a change at once where it made it, else with its next look (`refresh`); from then
on every turn asks the models of a new catalogue. Nothing here is asked for a turn.
"""

from __future__ import annotations

from chat.connections.current import environment, keys, refresh, sources

__all__ = ["environment", "keys", "refresh", "sources"]
