"""Returning the space of deleted rows to the disk, a little at a time.

SQLite keeps the pages of deleted rows for new ones; `incremental_vacuum` moves pages from the end
of the file into them. Words of deleted texts are removed first, because the word index only marks
them as deleted. PostgreSQL reuses its space automatically (autovacuum).
"""

from __future__ import annotations

from time import perf_counter

from django.db import connection

from chat import search

PAGES = 100
"""Pages moved in one step: a few milliseconds."""
PAUSE = 2
"""The pause after a step, as a multiple of its duration."""
SHORTEST_PAUSE = 0.01


class Space:
    """One run. Call `step` until it returns None."""

    def __init__(self) -> None:
        self._is_first = True
        self._has_words = True
        """Whether the word index still has words of deleted texts."""

    def step(self) -> float | None:
        """Return a little space. Return the seconds until the next step, or None when done.

        Does nothing inside a transaction, which its script would commit.
        """
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            return None
        started = perf_counter()
        if self._has_words:
            self._has_words = search.compact(is_first=self._is_first)
            self._is_first = False
        elif not _vacuum():
            return None
        return max(SHORTEST_PAUSE, PAUSE * (perf_counter() - started))


def _vacuum() -> bool:
    """Move some pages. Return False if no space was returned."""
    free = _free_pages()
    if not free:
        return False
    with connection.cursor() as cursor, connection.wrap_database_errors:
        # a script, because `execute` runs this pragma for its first row only: one page
        cursor.executescript(f"PRAGMA incremental_vacuum({PAGES})")
    return _free_pages() < free  # unchanged if the file was created without auto_vacuum


def _free_pages() -> int:
    with connection.cursor() as cursor:
        (free,) = cursor.execute("PRAGMA freelist_count").fetchone()
    return int(free)


def size() -> int:
    """Return the bytes that the database takes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            (pages,) = cursor.execute("PRAGMA page_count").fetchone()
            (page,) = cursor.execute("PRAGMA page_size").fetchone()
            return int(pages * page)
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
