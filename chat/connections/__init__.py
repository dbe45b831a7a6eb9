"""Providers that were connected in the browser: their rows, opened, beside what the environment says.

A process learns of a change at once where it made it (`refresh`), else with its next `look`; from
then on there is a new catalogue. A turn does not read these rows.
"""

from __future__ import annotations

from chat.connections.current import configuration, keys, poll, refresh

__all__ = ["configuration", "keys", "poll", "refresh"]
