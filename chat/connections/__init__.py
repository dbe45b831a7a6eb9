"""Model providers connected in the browser: their keys, unsealed, joined with the environment's.

A process applies its own change at once (`refresh`), another's with its next `poll`; either
replaces the catalogue. A turn does not read these rows.
"""

from __future__ import annotations

from chat.connections.current import configuration, keys, poll, refresh

__all__ = ["configuration", "keys", "poll", "refresh"]
