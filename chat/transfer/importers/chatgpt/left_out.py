"""Counting what is not imported: images, files, recordings and instructions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class LeftOut:
    """Counts what is left out of a converted conversation."""

    counts: Counter[str] = field(default_factory=Counter)
    """Counts of `image`, `file`, `audio` and `instruction`."""
    _ids: set[str] = field(default_factory=set)

    def add(self, kind: str, file_id: str = "") -> None:
        """Count one; a file shown again counts once."""
        if not file_id or file_id not in self._ids:
            self.counts[kind] += 1
        self._ids.add(file_id)
