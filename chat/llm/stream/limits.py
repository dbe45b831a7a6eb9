"""Time limits for an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in seconds. An answer that keeps coming has none."""

    silence: float = 300
    """The longest time without a single byte from the server."""
    first_token: float = 900
    """The longest wait for the first word, call or reasoning, whatever else arrives."""
