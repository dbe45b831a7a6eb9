"""Giving the space of deleted rows back to the disk, a little at a time.

SQLite keeps the pages of deleted rows for later ones; `incremental_vacuum` moves pages from the
end of the file into them. The words of deleted texts go before that, for the word index only
notes that they are gone. PostgreSQL does the like by itself (autovacuum), for its own use.
"""

from __future__ import annotations

from time import perf_counter

from django.db import connection

from chat import search

PAGES = 100
"""Moved in one step: a few milliseconds."""
PAUSE = 2
"""Times that a step took until the next one."""
SHORTEST_PAUSE = 0.01


class Space:
    """One run. `step` until it returns None."""

    def __init__(self) -> None:
        self._is_first = True
        self._has_words = True
        """Of deleted texts, in the word index."""

    def step(self) -> float | None:
        """Give a little back; the seconds until the next step. None: there is nothing to give.

        Inside a transaction there never is: a script would commit it.
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
    """False: nothing was given back."""
    free = _free_pages()
    if not free:
        return False
    with connection.cursor() as cursor, connection.wrap_database_errors:
        # a script: of a pragma without columns Python runs the first row only, which is one page
        cursor.executescript(f"PRAGMA incremental_vacuum({PAGES})")
    return _free_pages() < free  # it stays as it is in a file that was made without auto_vacuum


def _free_pages() -> int:
    with connection.cursor() as cursor:
        (free,) = cursor.execute("PRAGMA freelist_count").fetchone()
    return int(free)


def size() -> int:
    """Bytes that the database takes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            (pages,) = cursor.execute("PRAGMA page_count").fetchone()
            (page,) = cursor.execute("PRAGMA page_size").fetchone()
            return int(pages * page)
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
