"""How long a model is waited for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. There is no limit on an answer that keeps coming."""

    silence: float = 300
    """The longest time without a single byte from the server, at any moment."""
    first_token: float = 900
    """The longest wait for the first word, call or thought, whatever else comes."""
