"""Importing large packages in a thread without stalling running streams."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Suspend garbage collection during an import, then freeze all existing objects.

    Otherwise, the collector scans the new classes again and again while it holds the GIL: every
    stream stalled for up to 300 ms.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
