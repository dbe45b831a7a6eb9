"""The recurring work of a server, in short steps beside its answers."""

from __future__ import annotations

from chat.services import hidden
from chat.upkeep import uploads
from chat.upkeep.prune import retention

HOURLY = (retention.run, uploads.tidy, hidden.tidy)
AT_EACH_POLL = (uploads.run, hidden.sweep)
"""About once a second, unless the last run is still under way."""
