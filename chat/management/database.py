"""Database errors in commands, explained without a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from chat.db import reasons, versions
from chat.db.lanes import notes


@contextmanager
def explain_errors(
    *, is_there: bool = True, so_far: Callable[[], str] = lambda: ""
) -> Iterator[None]:
    """Turn database errors into advice, and add what was done `so_far`.

    Refuses a database that was upgraded by a newer version, unless it is not there yet.
    """
    try:
        if is_there:
            versions.refuse_newer()
        yield
    except (DatabaseError, InterfaceError) as error:
        if (words := reasons.explain(error)) is None:
            raise
        raise CommandError(" ".join((words, *notes(error), so_far())).rstrip()) from None
