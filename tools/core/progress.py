"""Delivers the progress of a running tool to the event loop, from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tools.core.text import Renderer

LONGEST = 500


class Progress:
    """The progress of one call. Only the newest text is delivered, so a chatty thread cannot flood."""

    def __init__(self, listener: Callable[[str], None], renderer: Renderer) -> None:
        self._listener = listener
        self._renderer = renderer
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: str | None = None
        self._is_over = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        """Progress that a thread reports after its call was abandoned is discarded."""
        self._deliver()
        self._is_over = True

    def report(self, text: str) -> None:
        with self._lock:
            is_scheduled, self._waiting = self._waiting is not None, text[:LONGEST]
            if not is_scheduled and not self._is_over:
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            text, self._waiting = self._waiting, None
        if text is not None and not self._is_over:
            self._listener(self._renderer.truncate(text))
