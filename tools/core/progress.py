"""What a running tool says of its progress, brought to the event loop from whatever thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tools.core.text import Renderer

LONGEST = 500


class Progress:
    """Of one call. Only the newest text counts, so that a chatty thread floods nobody."""

    def __init__(self, hear: Callable[[str], None], renderer: Renderer) -> None:
        self._hear = hear
        self._renderer = renderer
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: str | None = None
        self._is_over = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        """What a thread says after its call was given up is not heard."""
        self._tell()
        self._is_over = True

    def say(self, text: str) -> None:
        with self._lock:
            is_told, self._waiting = self._waiting is not None, text[:LONGEST]
            if not is_told and not self._is_over:
                self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._lock:
            text, self._waiting = self._waiting, None
        if text is not None and not self._is_over:
            self._hear(self._renderer.bounded(text))
