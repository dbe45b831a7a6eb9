"""Importing a large package beside running streams, in a thread."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Let the collector rest during an import, and never look at what is there then.

    It would look at all the new classes again and again, and hold Python's lock for it: every
    stream stood still for up to 300 ms.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
